//===- Executor.h - Run PTX on the CPU, from C -----------------*- C -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Load a module, place arrays, launch, read counters and traps. Nothing of LLVM
// is visible. examples/executor.c uses all of it.
//
// Errors: a function that can fail takes `char **error` (NULL: not wanted). On
// failure it receives a message that the caller frees with napkinExecutorFree,
// on success NULL. Misuse by the kernel is no error but a trap of the result.
//
// Ownership: what a Parse, Create or Launch function returns is destroyed by
// the caller with the Destroy function of its type, NULL being fine. A pointer
// to text that an object returns lives as long as the object. A result keeps
// nothing of the module, the device or the arguments.
//
// Threads: a module and a result may be read by several threads at once. A
// device serves one call at a time; a launch uses host threads of its own.
//
// Bytes are bytes, addresses are addresses of the device.
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

/** A parsed PTX text; never changes. */
typedef struct NapkinExecutorModule NapkinExecutorModule;
/** Global memory. It keeps its content, and the module-level variables of what
    was launched, from one launch to the next. */
typedef struct NapkinExecutorDevice NapkinExecutorDevice;
/** What a launch did; never changes. */
typedef struct NapkinExecutorResult NapkinExecutorResult;

/** Frees a message that this library returned; NULL is fine. */
void napkinExecutorFree(char *text);

/*===-- Modules
 * ------------------------------------------------------------===*/

/** Parses `length` bytes of PTX, which are copied; `name` is for messages. NULL
    on error. */
NapkinExecutorModule *napkinExecutorParse(const char *text, size_t length,
                                          const char *name, char **error);
/** Reads and parses the file at `path`. NULL on error. */
NapkinExecutorModule *napkinExecutorParseFile(const char *path, char **error);
void napkinExecutorModuleDestroy(NapkinExecutorModule *module);
/** The target as the text has it ("sm_90a"). */
const char *napkinExecutorTarget(const NapkinExecutorModule *module);
/** Kernels that have a body, in the order of the text. */
size_t napkinExecutorNumKernels(const NapkinExecutorModule *module);

/** A parameter of a kernel. */
typedef struct {
  const char *name;
  /** "u64", "b8", ... */
  const char *type;
  /** Size and alignment in bytes; a tensor map has 128 and at least 64. */
  uint64_t bytes, alignment;
} NapkinExecutorParameter;

/** A kernel; sizes that the text does not fix are zeros. */
typedef struct {
  const char *name;
  const NapkinExecutorParameter *parameters;
  size_t numParameters;
  /** .maxntid, .reqntid and .reqnctapercluster. */
  uint32_t maxThreads[3], requiredThreads[3], requiredCluster[3];
} NapkinExecutorKernel;

/** Kernel `index`; owned by the module. NULL beyond the last. */
const NapkinExecutorKernel *
napkinExecutorKernel(const NapkinExecutorModule *module, size_t index);

/*===-- Device memory
 * ------------------------------------------------------===*/

NapkinExecutorDevice *napkinExecutorDeviceCreate(void);
void napkinExecutorDeviceDestroy(NapkinExecutorDevice *device);
/** What live allocations may take together; at first half of the host's
    physical memory. */
void napkinExecutorSetLimit(NapkinExecutorDevice *device, uint64_t bytes);
/** Memory that nobody has written yet, 512-byte aligned; `name` (may be NULL)
    is for messages. 0 on error. */
uint64_t napkinExecutorAllocate(NapkinExecutorDevice *device, uint64_t bytes,
                                const char *name, char **error);
/** Frees an allocation; later accesses to it trap. */
bool napkinExecutorFreeMemory(NapkinExecutorDevice *device, uint64_t address,
                              char **error);
/** The range must lie in one allocation; it counts as written. */
bool napkinExecutorCopyToDevice(NapkinExecutorDevice *device, uint64_t address,
                                const void *source, uint64_t bytes,
                                char **error);
bool napkinExecutorFill(NapkinExecutorDevice *device, uint64_t address,
                        uint8_t value, uint64_t bytes, char **error);
/** `neverWritten` (may be NULL) receives how many of the bytes no one wrote. */
bool napkinExecutorCopyFromDevice(NapkinExecutorDevice *device, void *target,
                                  uint64_t address, uint64_t bytes,
                                  uint64_t *neverWritten, char **error);
/** The address of a module-level variable; 0 before a launch that uses it. */
uint64_t napkinExecutorSymbol(const NapkinExecutorDevice *device,
                              const char *name);

/** What a tensor map says of an array in global memory; innermost dimension
    first. */
typedef struct {
  /** "bf16", "f16", "f32", "f8E4M3FN", "i8", ... */
  const char *element;
  /** 1 to 5 dimensions. */
  unsigned rank;
  /** Elements; bytes between neighbours of dimension 1, 2, ...; elements of
      the box; steps (NULL: 1). */
  const uint64_t *sizes, *strides;
  const uint32_t *box, *elementStrides;
  /** 0, 32, 64 or 128 bytes. */
  uint32_t swizzle;
  /** Elements out of bounds read as NaN, not as zero. */
  bool nanFill;
} NapkinExecutorTensorMap;

/** Writes the 128 bytes of a tensor map over `address` to `target`. */
bool napkinExecutorEncodeTensorMap(uint64_t address,
                                   const NapkinExecutorTensorMap *map,
                                   void *target, char **error);

/*===-- Launches
 * -----------------------------------------------------------===*/

/** Extent of a launch in blocks, threads and blocks per cluster. Zeros in
    `block` or `cluster` mean what the kernel's .reqntid or .reqnctapercluster
    says, else one. */
typedef struct {
  uint32_t grid[3], block[3], cluster[3];
  uint64_t dynamicSharedBytes;
} NapkinExecutorLaunchConfig;

/** An argument by its bytes, which are copied: a scalar, a struct, the 8 bytes
    of a device address, the 128 bytes of a tensor map. */
typedef struct {
  const void *bytes;
  size_t size;
} NapkinExecutorArgument;

/** When asynchronous copies take effect, within what PTX allows. */
typedef enum {
  NAPKIN_EXECUTOR_LATEST,   /**< when a wait demands it */
  NAPKIN_EXECUTOR_EARLIEST, /**< at issue */
  NAPKIN_EXECUTOR_RANDOM    /**< either, by the seed */
} NapkinExecutorCompletion;

/** How tensor cores round. */
typedef enum {
  NAPKIN_EXECUTOR_FAST, /**< exact products, f32 sums in the order of k */
  NAPKIN_EXECUTOR_A100, /**< the bits of these tensor cores */
  NAPKIN_EXECUTOR_ADA,
  NAPKIN_EXECUTOR_H100
} NapkinExecutorNumerics;

/** Limits of a machine, per multiprocessor but for the first. */
typedef struct {
  uint32_t multiprocessors, threads, blocks, registers;
  /** Shared memory that one block may have, in bytes. */
  uint64_t sharedBytes;
  /** The L2 cache in bytes, and its lines. */
  uint64_t cacheBytes;
  uint32_t lineBytes, ways;
} NapkinExecutorHardware;

/** The machine called `name` ("a100_80gb", "h100", ...), or described by the
    .json file of that name. */
bool napkinExecutorFindHardware(const char *name,
                                NapkinExecutorHardware *hardware, char **error);

/** How to run; napkinExecutorDefaultOptions fills it. */
typedef struct {
  /** Uninitialised reads and async hazards; data races. Bounds and alignment
      are always checked. */
  bool checks, races;
  NapkinExecutorCompletion completion;
  /** Order of warps and random completion; 0 is round robin. */
  uint64_t seed;
  NapkinExecutorNumerics numerics;
  /** Host threads, 0 all. Results do not depend on it. */
  unsigned threads;
  /** Blocks to execute, evenly spread, counts being scaled; 0 all. */
  uint64_t sampleBlocks;
  /** No tensor-core arithmetic, unless what is counted depends on it. */
  bool countOnly;
  /** Instructions of one warp before a trap. */
  uint64_t instructionLimit;
  /** For occupancy and the L2 model; NULL: none. Read during the launch. */
  const NapkinExecutorHardware *hardware;
  /** Per thread, as ptxas -v says; 0: .maxnreg, else unknown. */
  uint32_t registersPerThread;
  /** DRAM bytes by a model of the L2 cache; needs `hardware`. */
  bool cacheModel;
  /** Called with blocks done, from 0 on, and in all, by one thread at a time,
     though not always the same; NULL: not called. */
  void (*progress)(uint64_t done, uint64_t all, void *user);
  void *progressUser;
} NapkinExecutorOptions;

/** The defaults of the C++ interface. */
NapkinExecutorOptions napkinExecutorDefaultOptions(void);

/** Runs kernel `entry` (NULL: the only one) to its end or to its first trap.
    NULL if it could not start: an instruction that is not supported, an
    argument of the wrong size, an illegal extent. `options` may be NULL. */
NapkinExecutorResult *napkinExecutorLaunch(
    NapkinExecutorDevice *device, const NapkinExecutorModule *module,
    const char *entry, const NapkinExecutorArgument *arguments,
    size_t numArguments, const NapkinExecutorLaunchConfig *config,
    const NapkinExecutorOptions *options, char **error);
void napkinExecutorResultDestroy(NapkinExecutorResult *result);

/*===-- Traps
 * --------------------------------------------------------------===*/

/** What went wrong, where. Texts are never NULL, lines 0 where unknown. */
typedef struct {
  /** "race", "out-of-bounds", ... */
  const char *kind;
  const char *message;
  /** The instruction and its line in the PTX. */
  const char *text;
  uint32_t line;
  /** From .loc; "" where there is none. */
  const char *sourceFile;
  uint32_t sourceLine;
  uint32_t block[3], thread[3];
  /** The address accessed, 0 if there is none. */
  uint64_t address;
  /** The other access of a pair. */
  const char *other;
  uint32_t otherLine;
  /** All of it in a few lines of text. */
  const char *description;
} NapkinExecutorTrap;

/** Number of traps; 0: the kernel ran to its end. */
size_t napkinExecutorNumTraps(const NapkinExecutorResult *result);
/** Trap `index`; owned by the result. NULL beyond the last. */
const NapkinExecutorTrap *napkinExecutorTrap(const NapkinExecutorResult *result,
                                             size_t index);

/*===-- Counters
 * -----------------------------------------------------------===*/

/** Counts of an instruction or of a launch, in Nsight Compute's words. */
typedef struct {
  /** Issues by warps, and by threads. */
  uint64_t warps, threads;
  /** Bytes requested of global memory, and 32-byte sectors. */
  uint64_t globalReadBytes, globalWriteBytes;
  uint64_t globalReadSectors, globalWriteSectors;
  /** Bytes of shared memory; wavefronts, and those beyond the fewest. */
  uint64_t sharedReadBytes, sharedWriteBytes;
  uint64_t sharedWavefronts, sharedConflicts;
  uint64_t localReadBytes, localWriteBytes;
  /** Multiply-accumulates of the tensor cores. */
  uint64_t tensorMacs;
  /** Atomic operations, one per thread. */
  uint64_t atomics;
  /** Bytes of constant variables; of the shared memory of other blocks of the
      cluster (not among the shared bytes); of multicast copies to them (among
      the shared bytes). */
  uint64_t constantReadBytes, remoteReadBytes, remoteWriteBytes, multicastBytes;
} NapkinExecutorCounters;

/** Sums over the launch. */
NapkinExecutorCounters napkinExecutorTotals(const NapkinExecutorResult *result);
/** DRAM bytes by the L2 model; zeros without it. */
void napkinExecutorDramBytes(const NapkinExecutorResult *result, uint64_t *read,
                             uint64_t *written);
/** Under countOnly: the PTX line through which what is counted may depend on
    tensor-core results, so that they were computed; else 0. */
uint32_t napkinExecutorProductsNeededBy(const NapkinExecutorResult *result);
/** Blocks that ran; under sampleBlocks fewer than the grid has. */
uint64_t napkinExecutorBlocksExecuted(const NapkinExecutorResult *result);
/** Seconds that the launch took on the host. */
double napkinExecutorSeconds(const NapkinExecutorResult *result);

/** The counts of one PTX instruction. */
typedef struct {
  uint32_t line;
  const char *text;
  NapkinExecutorCounters counters;
} NapkinExecutorRow;

/** Instructions of the program, those of called functions among them. */
size_t napkinExecutorNumRows(const NapkinExecutorResult *result);
/** Row `index`; owned by the result. NULL beyond the last. */
const NapkinExecutorRow *napkinExecutorRow(const NapkinExecutorResult *result,
                                           size_t index);
/** All counters as JSON, with one entry per PTX line if `perLine`; owned by the
    result. */
const char *napkinExecutorCountersJson(const NapkinExecutorResult *result,
                                       bool perLine);

#ifdef __cplusplus
}
#endif

#endif /* NAPKIN_C_EXECUTOR_H */
