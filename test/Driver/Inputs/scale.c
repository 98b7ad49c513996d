/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* y = a x on the device, by the driver API alone, as a program that knows
   nothing of this project does it. usage: scale FILE.ptx COUNT LAUNCHED */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef int (*Function)();

static void *library;

static Function find(const char *name) {
  Function function = (Function)dlsym(library, name);
  if (!function) {
    fprintf(stderr, "no %s\n", name);
    exit(1);
  }
  return function;
}

/* Prints the error of a call, if there is one. */
static int failed(const char *what, int result) {
  const char *name = "?", *text = "?";
  if (!result)
    return 0;
  find("cuGetErrorName")(result, &name);
  find("cuGetErrorString")(result, &text);
  printf("%s: %s (%s)\n", what, name, text);
  return 1;
}

#define CALL(function, ...)                                                    \
  do {                                                                         \
    if (failed(#function, find(#function)(__VA_ARGS__)))                       \
      return 1;                                                                \
  } while (0)

int main(int argc, char **argv) {
  int device, major, minor;
  char name[100];
  void *context, *module, *kernel, *stream, *begin, *end;
  uint64_t x, y;
  float scale = 2, milliseconds = -1;
  if (argc != 4 || !(library = dlopen("libcuda.so.1", RTLD_NOW))) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  int count = atoi(argv[2]), launched = atoi(argv[3]);
  size_t bytes = count * sizeof(float);
  float *host = malloc(bytes);
  for (int i = 0; i < count; ++i)
    host[i] = i;

  CALL(cuInit, 0);
  CALL(cuDeviceGet, &device, 0);
  CALL(cuDeviceGetName, name, (int)sizeof name, device);
  CALL(cuDeviceGetAttribute, &major, 75, device);
  CALL(cuDeviceGetAttribute, &minor, 76, device);
  printf("%s, %d.%d\n", name, major, minor);
  CALL(cuDevicePrimaryCtxRetain, &context, device);
  CALL(cuCtxSetCurrent, context);
  CALL(cuModuleLoad, &module, argv[1]);
  CALL(cuModuleGetFunction, &kernel, module, "scale");
  CALL(cuMemAlloc_v2, &x, bytes);
  CALL(cuMemAlloc_v2, &y, bytes);
  CALL(cuStreamCreate, &stream, 1u);
  CALL(cuEventCreate, &begin, 0u);
  CALL(cuEventCreate, &end, 0u);
  CALL(cuMemcpyHtoDAsync_v2, x, host, bytes, stream);
  CALL(cuEventRecord, begin, stream);
  void *arguments[] = {&x, &y, &scale, &launched};
  unsigned blocks = (launched + 127) / 128;
  CALL(cuLaunchKernel, kernel, blocks, 1u, 1u, 128u, 1u, 1u, 0u, stream,
       arguments, NULL);
  CALL(cuEventRecord, end, stream);
  CALL(cuStreamSynchronize, stream);
  CALL(cuEventElapsedTime, &milliseconds, begin, end);
  CALL(cuMemcpyDtoH_v2, host, y, bytes);
  printf("y[%d] = %g, %s\n", count - 1, host[count - 1],
         milliseconds > 0 ? "timed" : "not timed");
  CALL(cuMemFree_v2, x);
  CALL(cuMemFree_v2, y);
  CALL(cuModuleUnload, module);
  CALL(cuDevicePrimaryCtxRelease_v2, device);
  free(host);
  return 0;
}
