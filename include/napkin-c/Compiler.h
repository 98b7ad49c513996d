//===- Compiler.h - The compiler, from C -----------------------*- C -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From the text of a diagram to PTX text and a launch manifest. No type of LLVM
// or MLIR appears; a caller needs this header and the library.
//
//   NapkinCompilation *c = napkinCompile(text, length, NULL);
//   if (napkinError(c)) puts(napkinError(c));
//   else launch(napkinPTX(c), napkinManifest(c));
//   napkinDispose(c);
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_C_COMPILER_H
#define NAPKIN_C_COMPILER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a user may decide; fill it by napkinDefaultOptions(), then change what
 * is needed. Strings are read during the call only; NULL stands for "". */
typedef struct NapkinOptions {
  /** Architecture, by name: "sm_80". */
  const char *target;
  /** Hardware description, by name or path of a .json file; "": the target's.
   */
  const char *hardware;
  /** Name of the PTX file, for the manifest; "": the first kernel's name. */
  const char *ptxFile;
  /** Name of the diagram's file, for messages. */
  const char *name;
  /** Warps of a block, and buffers of the pipeline; 0: chosen by cost. */
  int64_t pinWarps, pinStages;
  /** B in |input| <= 2^B for inputs of f32, bf16 and f64. */
  double inputBound;
} NapkinOptions;

/** The outcome of a compilation: an error, or texts. */
typedef struct NapkinCompilation NapkinCompilation;

/** The options of `napkinc` without flags. */
NapkinOptions napkinDefaultOptions(void);

/** Compiles the diagrams in the `length` bytes at `source`. `options` may be
 * NULL. Never returns NULL; give the result to napkinDispose(). Calls from
 * several threads at once are fine. */
NapkinCompilation *napkinCompile(const char *source, size_t length,
                                 const NapkinOptions *options);

/** The messages, one "file:line:column: error: ..." a line, or NULL when the
 * compilation succeeded. Lives as long as the compilation. */
const char *napkinError(const NapkinCompilation *compilation);

/** The PTX text; "" after an error. Lives as long as the compilation. */
const char *napkinPTX(const NapkinCompilation *compilation);

/** The launch manifest, JSON text; "" after an error. Lives as long as the
 * compilation. */
const char *napkinManifest(const NapkinCompilation *compilation);

/** The cost report, JSON text; "" after an error. Lives as long as the
 * compilation. */
const char *napkinReport(const NapkinCompilation *compilation);

/** Frees a compilation; NULL is fine. */
void napkinDispose(NapkinCompilation *compilation);

#ifdef __cplusplus
}
#endif

#endif /* NAPKIN_C_COMPILER_H */
