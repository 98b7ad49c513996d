//===- Launch.h - Run kernels on a GPU, from C -----------------*- C -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loads what the compiler wrote into the CUDA driver of this machine, which is
// looked for at run time, and launches it on arrays and streams of the caller.
//
//   NapkinLaunchDevice *d = napkinLaunchOpenDevice(0, &error);
//   NapkinLaunchProgram *p = napkinLaunchLoad(d, ptx, manifest, &error);
//   napkinLaunch(p, addresses, napkinLaunchNumArrays(p), stream, &error);
//
// Errors: a function that can fail takes `char **error` (NULL: not wanted). On
// failure it receives a message that the caller frees with napkinLaunchFree, on
// success NULL.
//
// The device's primary context is used, which the CUDA runtime and PyTorch use
// too; it need not be current.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_C_LAUNCH_H
#define NAPKIN_C_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A device, and the driver that it belongs to. */
typedef struct NapkinLaunchDevice NapkinLaunchDevice;
/** Loaded kernels. */
typedef struct NapkinLaunchProgram NapkinLaunchProgram;

/** Frees a message; NULL is fine. */
void napkinLaunchFree(char *text);

/** Device `ordinal` of this machine. NULL on error: no driver, no such device.
 */
NapkinLaunchDevice *napkinLaunchOpenDevice(int ordinal, char **error);
/** Programs that are loaded keep what they need of it. NULL is fine. */
void napkinLaunchCloseDevice(NapkinLaunchDevice *device);
/** Name, compute capability, multiprocessors, clock and driver in one line. */
const char *napkinLaunchDescription(const NapkinLaunchDevice *device);
/** Whether the driver is Napkin's executor, whose times are a CPU's. */
bool napkinLaunchIsExecutor(const NapkinLaunchDevice *device);

/** Loads the PTX text with its manifest (both end with a zero). NULL on error.
 */
NapkinLaunchProgram *napkinLaunchLoad(NapkinLaunchDevice *device,
                                      const char *ptx, const char *manifest,
                                      char **error);
/** NULL is fine. No launch of it may be under way. */
void napkinLaunchUnload(NapkinLaunchProgram *program);

/** An array that the kernels read or write. */
typedef struct {
  const char *name;
  /** "input", "output", "inout" or "temporary". */
  const char *role;
  /** "bf16", "f32", ... */
  const char *element;
  uint64_t bytes, alignment;
  /** Row major, the slowest axis first. */
  size_t rank;
  const int64_t *sizes;
} NapkinLaunchArray;

size_t napkinLaunchNumArrays(const NapkinLaunchProgram *program);
/** Array `index`; NULL beyond the last. */
const NapkinLaunchArray *napkinLaunchArray(const NapkinLaunchProgram *program,
                                           size_t index);

/** Asks for all kernels, in order, on `stream` (a CUstream or cudaStream_t;
    NULL: the default one), and does not wait. `addresses` are device pointers,
    one for each array in their order; 0 stands for a temporary, which the
    program then keeps itself (so use one stream at a time). */
bool napkinLaunch(NapkinLaunchProgram *program, const uint64_t *addresses,
                  size_t numAddresses, void *stream, char **error);

#ifdef __cplusplus
}
#endif

#endif /* NAPKIN_C_LAUNCH_H */
