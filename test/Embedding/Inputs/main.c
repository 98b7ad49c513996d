/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A program outside of Napkin's build: compiles a diagram and verifies it, by
 * the compiler's choices and by its own; looks at a stage; reads the messages
 * of a mistake. */

#include <napkin-c/Compiler.h>
#include <stdio.h>
#include <string.h>

static const char diagram[] =
    "!q = !ncd.array<q=64, d=64, bf16>\n"
    "!k = !ncd.array<x=64, d=64, bf16>\n"
    "!s = !ncd.array<q=64, x=64, f32>\n"
    "ncd.diagram @scores(%q: !q, %k: !k) -> !s {\n"
    "  %s = ncd.contract %q, %k over [d] : !q, !k -> !s\n"
    "  ncd.return %s : !s\n"
    "}\n";

static int compileAndVerify(void) {
  NapkinCompilation *c = napkinCompile(diagram, strlen(diagram), NULL);
  if (napkinError(c)) {
    puts(napkinError(c));
    return 1;
  }
  printf("%s%s%s\n", napkinPTX(c), napkinManifest(c), napkinReport(c));
  NapkinVerifyOptions options = napkinDefaultVerifyOptions();
  options.inputs = "uniform";
  NapkinVerdict verdict = napkinVerify(c, &options);
  printf("%sverdict %d\n", napkinVerification(c), verdict);
  napkinDispose(c);
  return verdict != NAPKIN_VERIFIED;
}

/* Blocks of 64 positions of q, chosen here. */
static void pinAnAxis(void) {
  NapkinPin pin = {"q", 64};
  NapkinOptions options = napkinDefaultOptions();
  options.pinGroup = &pin;
  options.numPinGroup = 1;
  NapkinCompilation *c = napkinCompile(diagram, strlen(diagram), &options);
  puts(napkinError(c) ? napkinError(c) : napkinReport(c));
  napkinDispose(c);
}

static void lookAtStages(void) {
  for (size_t i = 0; i < napkinNumStages(); ++i)
    printf("stage %s: %s\n", napkinStageName(i), napkinStageDescription(i));
  NapkinOptions options = napkinDefaultOptions();
  options.stage = "tile";
  NapkinCompilation *c = napkinCompile(diagram, strlen(diagram), &options);
  size_t length = 0;
  const char *text = napkinOutput(c, &length);
  printf("%.*s", (int)length, text);
  printf("verdict of a stage without PTX: %d\n", napkinVerify(c, NULL));
  napkinDispose(c);
}

static void makeAMistake(void) {
  NapkinOptions options = napkinDefaultOptions();
  options.name = "scores.mlir";
  NapkinCompilation *c = napkinCompile(diagram, 190, &options);
  for (size_t i = 0; i < napkinNumDiagnostics(c); ++i) {
    const NapkinDiagnostic *d = napkinDiagnostic(c, i);
    printf("severity %d of %s, line %u, column %u: %s\n", d->severity, d->file,
           d->line, d->column, d->text);
  }
  printf("no PTX: '%s', beyond the last: %d\n", napkinPTX(c),
         napkinDiagnostic(c, napkinNumDiagnostics(c)) != NULL);
  napkinDispose(c);
}

/* A program that was compiled for an older or a newer library. */
static void beOfAnotherVersion(void) {
  struct {
    NapkinOptions known;
    const char *unknown;
  } newer;
  memset(&newer, 0, sizeof newer);
  newer.known = napkinDefaultOptions();
  newer.known.size = sizeof newer;
  NapkinCompilation *c = napkinCompile(diagram, strlen(diagram), &newer.known);
  printf("newer, nothing new in use: %s\n", napkinError(c) ? "error" : "fine");
  napkinDispose(c);
  newer.unknown = "something";
  c = napkinCompile(diagram, strlen(diagram), &newer.known);
  puts(napkinError(c) ? napkinError(c) : "no error");
  napkinDispose(c);
  NapkinOptions older;
  memset(&older, 0xff, sizeof older);
  napkinInitOptions(&older, offsetof(NapkinOptions, target));
  c = napkinCompile(diagram, strlen(diagram), &older);
  printf("older: %s\n", napkinError(c) ? napkinError(c) : "fine");
  napkinDispose(c);
}

int main(void) {
  printf("Napkin %s\n", napkinVersion());
  if (compileAndVerify())
    return 1;
  pinAnAxis();
  lookAtStages();
  makeAMistake();
  beOfAnotherVersion();
  napkinDispose(NULL);
  return 0;
}
