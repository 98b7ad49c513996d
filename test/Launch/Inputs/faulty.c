/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A CUDA driver that does what another one does, until it is told to fail.

   FAULTY_REAL=FILE     the other driver
   FAULTY=NAME:N:ERROR  call N of function NAME returns ERROR, and does nothing
   FAULTY_TRACE=FILE    the name of each function that is called, one a line

   At the end it says what was taken of it and never given back. A function is
   renamed, and so missing, by -DNAME=other on the compiler's command line. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef long Word;
typedef int (*Function)(Word, Word, Word, Word, Word, Word, Word, Word, Word,
                        Word, Word, Word);

enum { contexts, currents, modules, allocations, streams, events, kinds };
static const char *const names[kinds] = {"contexts",    "currents", "modules",
                                         "allocations", "streams",  "events"};
static int left[kinds];
static FILE *trace;

/* What a call of `name` takes (+1) or gives back (-1). */
static int effect(const char *name, int *kind) {
  static const struct {
    const char *name;
    int kind, change;
  } table[] = {{"cuDevicePrimaryCtxRetain", contexts, 1},
               {"cuDevicePrimaryCtxRelease_v2", contexts, -1},
               {"cuCtxPushCurrent_v2", currents, 1},
               {"cuCtxPopCurrent_v2", currents, -1},
               {"cuModuleLoadDataEx", modules, 1},
               {"cuModuleUnload", modules, -1},
               {"cuMemAlloc_v2", allocations, 1},
               {"cuMemFree_v2", allocations, -1},
               {"cuStreamCreate", streams, 1},
               {"cuStreamDestroy_v2", streams, -1},
               {"cuEventCreate", events, 1},
               {"cuEventDestroy_v2", events, -1}};
  for (size_t i = 0; i < sizeof table / sizeof *table; ++i)
    if (!strcmp(table[i].name, name)) {
      *kind = table[i].kind;
      return table[i].change;
    }
  return 0;
}

static void *real(void) {
  static void *library;
  if (!library)
    library = dlopen(getenv("FAULTY_REAL"), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "faulty: %s\n", dlerror());
    exit(99);
  }
  return library;
}

/* The error that call `count` of `name` shall have, or 0. */
static int fault(const char *name, int count) {
  const char *told = getenv("FAULTY");
  size_t length = strlen(name);
  if (!told || strncmp(told, name, length) || told[length] != ':')
    return 0;
  char *rest;
  long wanted = strtol(told + length + 1, &rest, 10);
  return wanted == count ? atoi(rest + 1) : 0;
}

static int call(const char *name, int *count, const Word *w) {
  int kind = 0, change = effect(name, &kind);
  if (getenv("FAULTY_TRACE")) {
    if (!trace)
      trace = fopen(getenv("FAULTY_TRACE"), "w");
    fprintf(trace, "%s\n", name);
  }
  int result = fault(name, ++*count);
  if (!result)
    result =
        ((Function)dlsym(real(), name))(w[0], w[1], w[2], w[3], w[4], w[5],
                                        w[6], w[7], w[8], w[9], w[10], w[11]);
  /* What could not be given back was at least tried to. */
  if (change < 0 || !result)
    left[kind] += change;
  return result;
}

__attribute__((destructor)) static void tell(void) {
  int any = 0;
  for (int kind = 0; kind < kinds; ++kind)
    if (left[kind]) {
      fprintf(stderr, "faulty: %d %s left\n", left[kind], names[kind]);
      any = 1;
    }
  if (!any)
    fprintf(stderr, "faulty: nothing left\n");
  if (trace)
    fclose(trace);
}

/* All arguments are words, at most twelve; what lies behind the last is passed
   on and not looked at. */
#define FORWARD(name)                                                          \
  int name(Word a, Word b, Word c, Word d, Word e, Word f, Word g, Word h,     \
           Word i, Word j, Word k, Word l) {                                   \
    static int count;                                                          \
    const Word words[] = {a, b, c, d, e, f, g, h, i, j, k, l};                 \
    return call(#name, &count, words);                                         \
  }

FORWARD(cuInit)
FORWARD(cuDriverGetVersion)
FORWARD(cuGetErrorName)
FORWARD(cuGetErrorString)
FORWARD(cuDeviceGetCount)
FORWARD(cuDeviceGet)
FORWARD(cuDeviceGetName)
FORWARD(cuDeviceGetAttribute)
FORWARD(cuDeviceTotalMem_v2)
FORWARD(cuDevicePrimaryCtxRetain)
FORWARD(cuDevicePrimaryCtxRelease_v2)
FORWARD(cuCtxPushCurrent_v2)
FORWARD(cuCtxPopCurrent_v2)
FORWARD(cuModuleLoadDataEx)
FORWARD(cuModuleUnload)
FORWARD(cuModuleGetFunction)
FORWARD(cuFuncSetAttribute)
FORWARD(cuMemAlloc_v2)
FORWARD(cuMemFree_v2)
FORWARD(cuMemcpyHtoD_v2)
FORWARD(cuMemcpyDtoH_v2)
FORWARD(cuMemsetD8Async)
FORWARD(cuStreamCreate)
FORWARD(cuStreamDestroy_v2)
FORWARD(cuStreamSynchronize)
FORWARD(cuEventCreate)
FORWARD(cuEventDestroy_v2)
FORWARD(cuEventRecord)
FORWARD(cuEventElapsedTime)
FORWARD(cuLaunchKernel)
FORWARD(cuLaunchKernelEx)
FORWARD(cuTensorMapEncodeTiled)
/* So that times need no work beside them. */
FORWARD(cuNapkinExecutorVersion)
