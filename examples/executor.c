/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Runs `y = a * x` of a PTX file on the CPU from C, checks it and says what it
 * moved. The kernel takes x, y, a and n (test/Executor/Inputs/scale.ptx).
 */

#include "napkin-c/Executor.h"

#include <stdio.h>
#include <stdlib.h>

/* Ends the program when `ok` is false. */
static void require(bool ok, char *error) {
  if (ok)
    return;
  fprintf(stderr, "%s\n", error);
  napkinExecutorFree(error);
  exit(1);
}

int main(int argc, char **argv) {
  enum { n = 500 };
  float x[n], y[n], a = 2;
  uint32_t count = n;
  char *error;
  if (argc != 2)
    return 1;

  NapkinExecutorModule *module = napkinExecutorParseFile(argv[1], &error);
  require(module, error);
  const NapkinExecutorKernel *kernel = napkinExecutorKernel(module, 0);
  printf("kernel %s takes %zu arguments\n", kernel->name,
         kernel->numParameters);

  NapkinExecutorDevice *device = napkinExecutorDeviceCreate();
  uint64_t xs = napkinExecutorAllocate(device, sizeof x, "x", &error);
  require(xs, error);
  uint64_t ys = napkinExecutorAllocate(device, sizeof y, "y", &error);
  require(ys, error);
  for (int i = 0; i < n; ++i)
    x[i] = i;
  require(napkinExecutorCopyToDevice(device, xs, x, sizeof x, &error), error);

  NapkinExecutorArgument arguments[] = {
      {&xs, 8}, {&ys, 8}, {&a, 4}, {&count, 4}};
  NapkinExecutorLaunchConfig config = {{4, 1, 1}, {128, 1, 1}, {0}, 0};
  NapkinExecutorOptions options = napkinExecutorDefaultOptions();
  options.seed = 1; /* another order of warps */
  NapkinExecutorResult *result = napkinExecutorLaunch(
      device, module, kernel->name, arguments, 4, &config, &options, &error);
  require(result, error);
  for (size_t i = 0; i < napkinExecutorNumTraps(result); ++i)
    printf("%s", napkinExecutorTrap(result, i)->description);
  printf("read %llu bytes in %llu sectors\n",
         (unsigned long long)napkinExecutorTotals(result).globalReadBytes,
         (unsigned long long)napkinExecutorTotals(result).globalReadSectors);

  require(napkinExecutorCopyFromDevice(device, y, ys, sizeof y, NULL, &error),
          error);
  printf("y[7] = %g\n", y[7]);
  napkinExecutorResultDestroy(result);
  napkinExecutorDeviceDestroy(device);
  napkinExecutorModuleDestroy(module);
  return 0;
}
