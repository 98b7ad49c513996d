/*===- ExecutorChecks.c - The executor from C ------------------*- C -*-===*\
|*                                                                        *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                *|
|*                                                                        *|
|*===--------------------------------------------------------------------===*|
|*                                                                        *|
|* Only the C header is used. A check returns the line of what is not as  *|
|* it should be, 0 if nothing is.                                         *|
|*                                                                        *|
\*===--------------------------------------------------------------------===*/

#include "napkin-c/Executor.h"

#include <string.h>

#define CHECK(condition)                                                       \
  if (!(condition))                                                            \
  return __LINE__

/* x[i] += n, and a global variable counts the launches. */
static const char text[] =
    ".version 8.0\n.target sm_80\n.address_size 64\n"
    ".global .u32 launches;\n"
    ".visible .entry add(.param .u64 x, .param .u32 n)\n"
    ".reqntid 32, 1, 1\n{\n"
    ".reg .pred %p; .reg .b32 %r<6>; .reg .b64 %rd<4>;\n"
    "ld.param.u64 %rd1, [x]; ld.param.u32 %r1, [n]; mov.u32 %r2, %tid.x;\n"
    "mad.wide.u32 %rd2, %r2, 4, %rd1;\n"
    "ld.global.u32 %r3, [%rd2];\n"
    "add.u32 %r3, %r3, %r1; st.global.u32 [%rd2], %r3;\n"
    "setp.ne.u32 %p, %r2, 0; @%p bra END;\n"
    "ld.global.u32 %r4, [launches]; add.u32 %r4, %r4, 1;\n"
    "st.global.u32 [launches], %r4;\n"
    "END: ret;\n}\n"
    ".visible .entry map(.param .align 64 .b8 m[128])\n"
    ".maxntid 64, 2, 1\n{\nret;\n}\n";

static NapkinExecutorModule *parse(void) {
  return napkinExecutorParse(text, strlen(text), "k.ptx", NULL);
}

/* A text that fails must fail with a message that begins with `start`. */
static bool startsWith(char *error, const char *start) {
  bool same = error && strncmp(error, start, strlen(start)) == 0;
  napkinExecutorFree(error);
  return same;
}

int checkModule(void) {
  char *error = NULL;
  CHECK(!napkinExecutorParse("nonsense", 8, "a.ptx", &error));
  CHECK(startsWith(error, "a.ptx:1:1: error:"));
  CHECK(!napkinExecutorParseFile("/nowhere/a.ptx", &error));
  CHECK(startsWith(error, "/nowhere/a.ptx: error: cannot read"));
  NapkinExecutorModule *module =
      napkinExecutorParse(text, strlen(text), "k.ptx", &error);
  CHECK(module && !error);
  CHECK(!strcmp(napkinExecutorTarget(module), "sm_80"));
  CHECK(napkinExecutorNumKernels(module) == 2);
  const NapkinExecutorKernel *add = napkinExecutorKernel(module, 0),
                             *map = napkinExecutorKernel(module, 1);
  CHECK(!strcmp(add->name, "add") && add->numParameters == 2);
  CHECK(!strcmp(add->parameters[1].name, "n"));
  CHECK(!strcmp(add->parameters[1].type, "u32"));
  CHECK(add->parameters[0].bytes == 8 && add->parameters[1].bytes == 4);
  CHECK(add->requiredThreads[0] == 32 && add->maxThreads[0] == 0);
  CHECK(map->maxThreads[1] == 2 && map->requiredThreads[0] == 0);
  CHECK(map->parameters[0].bytes == 128 && map->parameters[0].alignment == 64);
  CHECK(!napkinExecutorKernel(module, 2));
  napkinExecutorModuleDestroy(module);
  napkinExecutorModuleDestroy(NULL);
  return 0;
}

int checkMemory(void) {
  char *error = NULL;
  uint8_t bytes[16] = {1, 2, 3}, back[16];
  uint64_t never = 0;
  NapkinExecutorDevice *device = napkinExecutorDeviceCreate();
  uint64_t at = napkinExecutorAllocate(device, 16, "a", &error);
  CHECK(at && at % 512 == 0 && !error);
  CHECK(napkinExecutorCopyToDevice(device, at + 4, bytes, 8, &error));
  CHECK(napkinExecutorCopyFromDevice(device, back, at, 16, &never, &error));
  CHECK(never == 8 && back[4] == 1 && back[6] == 3);
  CHECK(napkinExecutorFill(device, at, 9, 4, &error));
  CHECK(napkinExecutorCopyFromDevice(device, back, at, 4, &never, &error));
  CHECK(never == 0 && back[3] == 9);
  CHECK(!napkinExecutorCopyToDevice(device, at + 8, bytes, 9, &error));
  CHECK(startsWith(error, "copy of 9 bytes"));
  CHECK(napkinExecutorFreeMemory(device, at, &error));
  CHECK(!napkinExecutorFreeMemory(device, at, &error));
  napkinExecutorFree(error);
  CHECK(!napkinExecutorCopyFromDevice(device, back, at, 4, NULL, NULL));
  napkinExecutorSetLimit(device, 1000);
  CHECK(!napkinExecutorAllocate(device, 1001, NULL, NULL));
  CHECK(!napkinExecutorAllocate(device, 0, NULL, NULL));
  CHECK(napkinExecutorAllocate(device, 1000, NULL, NULL));
  CHECK(!napkinExecutorAllocate(device, 1, NULL, NULL));
  napkinExecutorDeviceDestroy(device);
  return 0;
}

static void count(uint64_t done, uint64_t all, void *user) {
  ((uint64_t *)user)[0] = done;
  ((uint64_t *)user)[1] = all;
}

int checkLaunch(void) {
  char *error = NULL;
  uint32_t values[32], n = 5, launches = 0;
  uint64_t reported[2] = {0, 0};
  NapkinExecutorModule *module = parse();
  NapkinExecutorDevice *device = napkinExecutorDeviceCreate();
  uint64_t x = napkinExecutorAllocate(device, sizeof values, "x", &error);
  for (uint32_t i = 0; i < 32; ++i)
    values[i] = i;
  CHECK(napkinExecutorCopyToDevice(device, x, values, sizeof values, &error));
  NapkinExecutorArgument arguments[] = {{&x, 8}, {&n, 4}};
  NapkinExecutorLaunchConfig config = {{1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0};
  NapkinExecutorOptions options = napkinExecutorDefaultOptions();
  options.progress = count;
  options.progressUser = reported;
  /* Two launches on one device: memory and variables stay. */
  CHECK(!napkinExecutorSymbol(device, "launches"));
  for (int i = 0; i < 2; ++i) {
    NapkinExecutorResult *result = napkinExecutorLaunch(
        device, module, "add", arguments, 2, &config, &options, &error);
    CHECK(result && !error && !napkinExecutorNumTraps(result));
    CHECK(!napkinExecutorTrap(result, 0));
    CHECK(napkinExecutorBlocksExecuted(result) == 1);
    CHECK(napkinExecutorSeconds(result) >= 0);
    napkinExecutorResultDestroy(result);
  }
  CHECK(reported[0] == 1 && reported[1] == 1);
  CHECK(napkinExecutorCopyFromDevice(device, values, x, sizeof values, NULL,
                                     &error));
  CHECK(values[0] == 10 && values[31] == 41);
  CHECK(napkinExecutorCopyFromDevice(device, &launches,
                                     napkinExecutorSymbol(device, "launches"),
                                     4, NULL, &error));
  CHECK(launches == 2);
  /* What cannot start. */
  CHECK(!napkinExecutorLaunch(device, module, NULL, arguments, 2, &config,
                              &options, &error));
  CHECK(strstr(error, "name the kernel; it has: add, map"));
  napkinExecutorFree(error);
  CHECK(!napkinExecutorLaunch(device, module, "add", arguments, 1, &config,
                              NULL, &error));
  CHECK(startsWith(error, "k.ptx:5: error: kernel 'add' has 2 parameters"));
  const uint64_t wide = 5;
  arguments[1] = (NapkinExecutorArgument){&wide, 8};
  CHECK(!napkinExecutorLaunch(device, module, "add", arguments, 2, &config,
                              NULL, &error));
  CHECK(strstr(error, "parameter 1 ('n', .u32)"));
  napkinExecutorFree(error);
  config.block[0] = 64, config.block[1] = config.block[2] = 1;
  CHECK(!napkinExecutorLaunch(device, module, "add", arguments, 2, &config,
                              NULL, &error));
  CHECK(strstr(error, "differs from .reqntid 32,1,1"));
  napkinExecutorFree(error);
  napkinExecutorDeviceDestroy(device);
  napkinExecutorModuleDestroy(module);
  return 0;
}

int checkTraps(void) {
  char *error = NULL;
  uint32_t values[31] = {0}, n = 5;
  NapkinExecutorModule *module = parse();
  NapkinExecutorDevice *device = napkinExecutorDeviceCreate();
  uint64_t x = napkinExecutorAllocate(device, sizeof values, "x", &error);
  napkinExecutorCopyToDevice(device, x, values, sizeof values, &error);
  NapkinExecutorArgument arguments[] = {{&x, 8}, {&n, 4}};
  NapkinExecutorLaunchConfig config = {{1, 1, 1}, {32, 1, 1}, {1, 1, 1}, 0};
  NapkinExecutorResult *result = napkinExecutorLaunch(
      device, module, "add", arguments, 2, &config, NULL, &error);
  CHECK(result && napkinExecutorNumTraps(result) == 1);
  /* The result needs nothing that it came from. */
  napkinExecutorModuleDestroy(module);
  napkinExecutorDeviceDestroy(device);
  const NapkinExecutorTrap *trap = napkinExecutorTrap(result, 0);
  CHECK(!strcmp(trap->kind, "out-of-bounds"));
  CHECK(trap->line == 11 && trap->address == x + 31 * 4);
  CHECK(!strcmp(trap->text, "ld.global.u32 %r3, [%rd2]"));
  CHECK(trap->thread[0] == 31 && trap->thread[1] == 0 && trap->block[0] == 0);
  CHECK(!strcmp(trap->sourceFile, "") && !trap->sourceLine);
  CHECK(!trap->otherLine && !strcmp(trap->other, ""));
  CHECK(strstr(trap->message, "end of 'x'"));
  CHECK(!strncmp(trap->description, "k.ptx:11: trap: out-of-bounds: ", 31));
  CHECK(!napkinExecutorTrap(result, 1));
  napkinExecutorResultDestroy(result);
  return 0;
}

int checkCounters(void) {
  char *error = NULL;
  uint32_t values[32] = {0}, n = 5;
  uint64_t read = 0, written = 0;
  NapkinExecutorModule *module = parse();
  NapkinExecutorDevice *device = napkinExecutorDeviceCreate();
  uint64_t x = napkinExecutorAllocate(device, sizeof values, "x", &error);
  napkinExecutorCopyToDevice(device, x, values, sizeof values, &error);
  NapkinExecutorArgument arguments[] = {{&x, 8}, {&n, 4}};
  NapkinExecutorLaunchConfig config = {{1, 1, 1}, {0}, {0}, 0};
  NapkinExecutorOptions options = napkinExecutorDefaultOptions();
  NapkinExecutorHardware hardware;
  CHECK(!napkinExecutorFindHardware("toaster", &hardware, &error));
  CHECK(strstr(error, "a100_80gb"));
  napkinExecutorFree(error);
  CHECK(napkinExecutorFindHardware("a100_80gb", &hardware, &error));
  CHECK(hardware.multiprocessors == 108 && hardware.threads == 2048);
  options.hardware = &hardware;
  options.cacheModel = true;
  NapkinExecutorResult *result = napkinExecutorLaunch(
      device, module, "add", arguments, 2, &config, &options, &error);
  CHECK(result && !napkinExecutorNumTraps(result));
  /* 32 threads of 4 bytes and one of 4. */
  NapkinExecutorCounters totals = napkinExecutorTotals(result);
  CHECK(totals.globalReadBytes == 132 && totals.globalWriteBytes == 132);
  CHECK(totals.globalReadSectors == 5 && totals.sharedReadBytes == 0);
  napkinExecutorDramBytes(result, &read, &written);
  CHECK(read >= 132 && written >= 132);
  uint64_t sum = 0;
  for (size_t i = 0; i < napkinExecutorNumRows(result); ++i) {
    const NapkinExecutorRow *row = napkinExecutorRow(result, i);
    sum += row->counters.globalReadBytes;
    if (!strcmp(row->text, "ld.global.u32 %r3, [%rd2]"))
      CHECK(row->line == 11 && row->counters.globalReadBytes == 128);
  }
  CHECK(sum == 132);
  CHECK(!napkinExecutorRow(result, napkinExecutorNumRows(result)));
  CHECK(strstr(napkinExecutorCountersJson(result, false),
               "\"global_write_bytes\": 132"));
  CHECK(strlen(napkinExecutorCountersJson(result, true)) >
        strlen(napkinExecutorCountersJson(result, false)));
  napkinExecutorResultDestroy(result);
  napkinExecutorDeviceDestroy(device);
  napkinExecutorModuleDestroy(module);
  return 0;
}

int checkTensorMap(void) {
  char *error = NULL;
  uint8_t bytes[128];
  NapkinExecutorModule *module = parse();
  NapkinExecutorDevice *device = napkinExecutorDeviceCreate();
  uint64_t x = napkinExecutorAllocate(device, 64 * 32 * 2, "x", &error);
  const uint64_t sizes[] = {64, 32, 1, 1, 1, 1}, strides[] = {128, 0, 0, 0, 0};
  const uint32_t box[] = {64, 8, 1, 1, 1, 1};
  NapkinExecutorTensorMap map = {"bf16", 2,    sizes, strides,
                                 box,    NULL, 128,   false};
  CHECK(napkinExecutorEncodeTensorMap(x, &map, bytes, &error));
  NapkinExecutorArgument argument = {bytes, 128};
  NapkinExecutorLaunchConfig config = {{1, 1, 1}, {64, 2, 1}, {1, 1, 1}, 0};
  NapkinExecutorResult *result = napkinExecutorLaunch(
      device, module, "map", &argument, 1, &config, NULL, &error);
  CHECK(result && !napkinExecutorNumTraps(result));
  napkinExecutorResultDestroy(result);
  map.swizzle = 64; /* The box is 128 bytes wide. */
  CHECK(!napkinExecutorEncodeTensorMap(x, &map, bytes, &error));
  napkinExecutorFree(error);
  map.swizzle = 128;
  map.rank = 6;
  CHECK(!napkinExecutorEncodeTensorMap(x, &map, bytes, &error));
  napkinExecutorFree(error);
  napkinExecutorDeviceDestroy(device);
  napkinExecutorModuleDestroy(module);
  return 0;
}
