/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Compiles a diagram and launches it, from C alone. usage: launch FILE.mlir */
#include "napkin-c/Launch.h"
#include "napkin-c/Compiler.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  char *error = NULL, text[10000];
  FILE *file = fopen(argv[argc - 1], "r");
  size_t length = fread(text, 1, sizeof text, file);
  fclose(file);
  NapkinLaunchDevice *device = napkinLaunchOpenDevice(0, &error);
  if (!device) {
    puts(error);
    napkinLaunchFree(error);
    return 1;
  }
  printf("%s\n", napkinLaunchDescription(device));
  printf("the executor: %d\n", napkinLaunchIsExecutor(device));
  NapkinCompilation *c = napkinCompile(text, length, NULL);
  NapkinLaunchProgram *program =
      napkinLaunchLoad(device, napkinPTX(c), napkinManifest(c), &error);
  if (!program) {
    puts(error);
    return 1;
  }
  napkinLaunchCloseDevice(device);
  /* Memory of the caller, by the driver's own functions. */
  void *cuda = dlopen("libcuda.so.1", RTLD_NOW);
  int (*retain)(void **, int) =
      (int (*)(void **, int))dlsym(cuda, "cuDevicePrimaryCtxRetain");
  int (*use)(void *) = (int (*)(void *))dlsym(cuda, "cuCtxSetCurrent");
  int (*allocate)(uint64_t *, size_t) =
      (int (*)(uint64_t *, size_t))dlsym(cuda, "cuMemAlloc_v2");
  int (*fill)(uint64_t, unsigned char, size_t) =
      (int (*)(uint64_t, unsigned char, size_t))dlsym(cuda, "cuMemsetD8_v2");
  void *context;
  retain(&context, 0);
  use(context);
  uint64_t addresses[16] = {0};
  size_t count = napkinLaunchNumArrays(program);
  for (size_t i = 0; i < count; ++i) {
    const NapkinLaunchArray *array = napkinLaunchArray(program, i);
    printf("%s %s %s, %d axes, %llu bytes\n", array->role, array->name,
           array->element, (int)array->rank, (unsigned long long)array->bytes);
    if (array->role[0] == 't')
      continue;
    allocate(&addresses[i], array->bytes);
    fill(addresses[i], 0, array->bytes);
  }
  if (napkinLaunch(program, addresses, count, NULL, &error))
    puts("launched");
  else
    puts(error);
  if (!napkinLaunch(program, addresses, 0, NULL, &error))
    puts(error);
  napkinLaunchFree(error);
  addresses[0] = 0;
  if (!napkinLaunch(program, addresses, count, NULL, &error))
    puts(error);
  napkinLaunchFree(error);
  napkinLaunchUnload(program);
  napkinDispose(c);
  return 0;
}
