//===- Executor.h - Run PTX on the CPU, from C -----------------*- C -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Load a module, place arrays, launch, read counters and traps. Nothing of LLVM
// is visible. Functions that can fail take `char **error`: it receives a
// message that the caller frees with napkinExecutorFree, or NULL.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_C_EXECUTOR_H
#define NAPKIN_C_EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A parsed PTX text. */
typedef struct NapkinExecutorModule NapkinExecutorModule;
/** Global memory. */
typedef struct NapkinExecutorDevice NapkinExecutorDevice;
/** What a launch did. */
typedef struct NapkinExecutorResult NapkinExecutorResult;

/** Extent of a launch; zeros in `cluster` mean one block. */
typedef struct {
  uint32_t grid[3], block[3], cluster[3];
  uint64_t dynamicSharedBytes;
} NapkinExecutorLaunchConfig;

/** An argument by its bytes: a pointer is the 8 bytes of its device address. */
typedef struct {
  const void *bytes;
  size_t size;
} NapkinExecutorArgument;

/** How to run; napkinExecutorDefaultOptions fills it. */
typedef struct {
  /** Uninitialised reads, async hazards; data races. */
  bool checks, races;
  /** 0 latest, 1 earliest, 2 random completion of asynchronous copies. */
  int completion;
  /** Order of warps; 0 is round robin. */
  uint64_t seed;
  /** 0 fast, 1 the bits of A100, 2 Ada, 3 H100. */
  int numerics;
  /** Host threads, 0 all. */
  unsigned threads;
  /** Instructions of one warp before a trap. */
  uint64_t instructionLimit;
} NapkinExecutorOptions;

/** Frees a string that this library returned. */
void napkinExecutorFree(char *text);
/** The defaults of the C++ interface. */
NapkinExecutorOptions napkinExecutorDefaultOptions(void);

/** Parses PTX; `name` is for messages. NULL on error. */
NapkinExecutorModule *napkinExecutorParse(const char *text, size_t length,
                                          const char *name, char **error);
void napkinExecutorModuleDestroy(NapkinExecutorModule *module);

NapkinExecutorDevice *napkinExecutorDeviceCreate(void);
void napkinExecutorDeviceDestroy(NapkinExecutorDevice *device);
/** Memory nobody has written yet; 0 on error. */
uint64_t napkinExecutorAllocate(NapkinExecutorDevice *device, uint64_t bytes,
                                const char *name, char **error);
bool napkinExecutorCopyToDevice(NapkinExecutorDevice *device, uint64_t address,
                                const void *source, uint64_t bytes,
                                char **error);
/** `neverWritten` (may be NULL) receives how many of the bytes no one wrote. */
bool napkinExecutorCopyFromDevice(NapkinExecutorDevice *device, void *target,
                                  uint64_t address, uint64_t bytes,
                                  uint64_t *neverWritten, char **error);

/** Runs kernel `entry` (NULL: the only one). NULL if it could not start; traps
    are in the result. `options` may be NULL. */
NapkinExecutorResult *napkinExecutorLaunch(
    NapkinExecutorDevice *device, const NapkinExecutorModule *module,
    const char *entry, const NapkinExecutorArgument *arguments,
    size_t numArguments, const NapkinExecutorLaunchConfig *config,
    const NapkinExecutorOptions *options, char **error);
void napkinExecutorResultDestroy(NapkinExecutorResult *result);
/** Number of traps; 0: the kernel ran to its end. */
size_t napkinExecutorNumTraps(const NapkinExecutorResult *result);
/** Name ("race") and description of a trap; owned by the result. */
const char *napkinExecutorTrapName(const NapkinExecutorResult *result,
                                   size_t index);
const char *napkinExecutorTrapText(const NapkinExecutorResult *result,
                                   size_t index);
/** All counters as JSON; owned by the result. */
const char *napkinExecutorCounters(const NapkinExecutorResult *result);
/** Bytes that the kernel requested of global memory. */
uint64_t napkinExecutorGlobalReadBytes(const NapkinExecutorResult *result);
uint64_t napkinExecutorGlobalWriteBytes(const NapkinExecutorResult *result);

#ifdef __cplusplus
}
#endif

#endif /* NAPKIN_C_EXECUTOR_H */
