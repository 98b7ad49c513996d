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
// Ownership: a pointer to text that a function returns lives as long as the
// object that it was asked of; those of no object live for ever.
//
// Versions: a structure of options begins with its own size, and grows at its
// end only. So a program may be linked with an older or a newer library than it
// was compiled for; see napkinInitOptions().
//
// Threads: calls on different objects may run at once.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_C_COMPILER_H
#define NAPKIN_C_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** "major.minor.patch" of the library that is linked. */
const char *napkinVersion(void);

/** The version of the structures in this header; it rises when one grows. */
#define NAPKIN_OPTIONS_VERSION 2

/** A choice made by hand: positions of an axis that one block, or one chunk of
 * a loop, takes. */
typedef struct NapkinPin {
  const char *axis;
  int64_t size;
} NapkinPin;

/** What a user may decide; fill it by napkinDefaultOptions(), then change what
 * is needed. Strings and lists are read during the call only; NULL stands for
 * "". */
typedef struct NapkinOptions {
  /** sizeof(NapkinOptions) and NAPKIN_OPTIONS_VERSION where the caller was
   * compiled. */
  size_t size;
  uint32_t version;
  /** Positive: warps of a block, buffers of the pipeline; 0: chosen by cost. */
  int64_t pinWarps, pinStages;
  /** Tiles of group axes; what is not named is chosen by cost. */
  const NapkinPin *pinGroup;
  size_t numPinGroup;
  /** Chunk of the streamed axis. A single pin whose axis is "none" forbids
   * loops. */
  const NapkinPin *pinStream;
  size_t numPinStream;
  /** Architecture, by name: "sm_80"; "": the one that the hardware runs, or
   * sm_80. */
  const char *target;
  /** Hardware description, by name or path of a .json file; "": the target's.
   */
  const char *hardware;
  /** Name of the PTX file, for the manifest; "": the first kernel's name. */
  const char *ptxFile;
  /** Name of the diagram's file, for messages. */
  const char *name;
  /** The last stage, by a name of napkinStageName(); "": PTX. */
  const char *stage;
  /** B in |input| <= 2^B for inputs of f32, bf16 and f64. */
  double inputBound;
  /** Not 0: f32 products may round their factors to tf32, for tensor cores. */
  int allowTF32;
  /** Since version 2: positions of a part of the streamed axis, where blocks
   * share it. A single pin whose axis is "none" forbids it. */
  const NapkinPin *pinSplit;
  size_t numPinSplit;
} NapkinOptions;

/** Writes the options of `napkinc` without flags to the first `size` bytes of
 * `options`, the size that the structure has for the caller. */
void napkinInitOptions(NapkinOptions *options, size_t size);

/** The same by value. */
static inline NapkinOptions napkinDefaultOptions(void) {
  NapkinOptions options;
  napkinInitOptions(&options, sizeof options);
  options.version = NAPKIN_OPTIONS_VERSION;
  return options;
}

/*===-- Compiling
 * -----------------------------------------------------------===*/

/** The outcome of a compilation: texts and messages. */
typedef struct NapkinCompilation NapkinCompilation;

/** Compiles the diagrams in the `length` bytes at `source`. `options` may be
 * NULL. Never returns NULL; give the result to napkinDispose(). */
NapkinCompilation *napkinCompile(const char *source, size_t length,
                                 const NapkinOptions *options);

/** The messages of a compilation that failed, one "file:line:column: error:
 * ..." a line, or NULL when it succeeded. */
const char *napkinError(const NapkinCompilation *compilation);

/** The PTX text; "" after an error or an earlier stage. */
const char *napkinPTX(const NapkinCompilation *compilation);

/** The launch manifest, JSON text; "" after an error or an earlier stage. */
const char *napkinManifest(const NapkinCompilation *compilation);

/** The cost report, JSON text (docs/report.schema.json); "" after an error or
 * before the stage "schedule". */
const char *napkinReport(const NapkinCompilation *compilation);

/** What the last stage gave: IR, PTX, machine code or the manifest. `length`
 * (may be NULL) receives its bytes; machine code holds zeros. "" after an
 * error.
 */
const char *napkinOutput(const NapkinCompilation *compilation, size_t *length);

/** Frees a compilation; NULL is fine. */
void napkinDispose(NapkinCompilation *compilation);

/*===-- Stages
 * --------------------------------------------------------------===*/

/** The number of stages, in the order in which they come about. */
size_t napkinNumStages(void);
/** The name of stage `index`, as `napkinc --emit=` takes it; NULL beyond the
 * last. */
const char *napkinStageName(size_t index);
/** What it holds, in a few words; NULL beyond the last. */
const char *napkinStageDescription(size_t index);

/*===-- Messages
 * ------------------------------------------------------------===*/

typedef enum NapkinSeverity {
  NAPKIN_ERROR,
  NAPKIN_WARNING,
  NAPKIN_REMARK,
  /** Belongs to the message before it. */
  NAPKIN_NOTE
} NapkinSeverity;

/** A message with its place. Texts are never NULL; line and column count from 1
 * and are 0 where there is none. */
typedef struct NapkinDiagnostic {
  NapkinSeverity severity;
  const char *file;
  uint32_t line, column;
  const char *text;
} NapkinDiagnostic;

/** Messages of the compilation, and of its verification if there was one. */
size_t napkinNumDiagnostics(const NapkinCompilation *compilation);
/** Message `index`; NULL beyond the last. */
const NapkinDiagnostic *napkinDiagnostic(const NapkinCompilation *compilation,
                                         size_t index);

/*===-- Verifying
 * -----------------------------------------------------------===*/

/** How to verify; fill it by napkinDefaultVerifyOptions(). */
typedef struct NapkinVerifyOptions {
  size_t size;
  uint32_t version;
  /** Seed of the random inputs. */
  uint64_t seed;
  /** Their kind, as `napkinc --inputs=` takes it; "": "normal". */
  const char *inputs;
  /** Called with blocks done and in all of the launch under way, by one thread
   * at a time, though not always the same; NULL: not called. */
  void (*progress)(uint64_t done, uint64_t all, void *user);
  void *progressUser;
} NapkinVerifyOptions;

/** As napkinInitOptions(). */
void napkinInitVerifyOptions(NapkinVerifyOptions *options, size_t size);

/** The same by value. */
static inline NapkinVerifyOptions napkinDefaultVerifyOptions(void) {
  NapkinVerifyOptions options;
  napkinInitVerifyOptions(&options, sizeof options);
  options.version = NAPKIN_OPTIONS_VERSION;
  return options;
}

typedef enum NapkinVerdict {
  /** Results are as exact as they must be, and the bytes those predicted. */
  NAPKIN_VERIFIED,
  /** A result or a count is off. */
  NAPKIN_DIFFERS,
  /** The program could not be run to its end; see the messages. */
  NAPKIN_NOT_RUN
} NapkinVerdict;

/** Executes the PTX of `compilation` on this CPU and compares it with the
 * reference. `options` may be NULL. */
NapkinVerdict napkinVerify(NapkinCompilation *compilation,
                           const NapkinVerifyOptions *options);

/** What `napkinc --verify` prints: bytes predicted and counted, errors and
 * bounds of each result; "" without a verification. */
const char *napkinVerification(const NapkinCompilation *compilation);

#ifdef __cplusplus
}
#endif

#endif /* NAPKIN_C_COMPILER_H */
