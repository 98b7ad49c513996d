//===- Compiler.cpp - the compiler from C
//-----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin-c/Compiler.h"
#include "napkin/Pipelines/Pipelines.h"
#include "llvm/Support/raw_ostream.h"

using namespace napkin;

struct NapkinCompilation {
  bool failed = false;
  std::string error, ptx, manifest, report;
};

static std::string textOf(const char *text) { return text ? text : ""; }

NapkinOptions napkinDefaultOptions(void) {
  NapkinOptions options = {};
  options.target = "sm_80";
  options.name = "diagram";
  options.inputBound = pipelines::CompileOptions().inputBound;
  return options;
}

NapkinCompilation *napkinCompile(const char *source, size_t length,
                                 const NapkinOptions *options) {
  NapkinOptions chosen = options ? *options : napkinDefaultOptions();
  pipelines::CompileOptions compile;
  compile.target = textOf(chosen.target);
  compile.hardware = textOf(chosen.hardware);
  compile.ptxFile = textOf(chosen.ptxFile);
  compile.pinWarps = chosen.pinWarps;
  compile.pinStages = chosen.pinStages;
  compile.inputBound = chosen.inputBound;
  auto *result = new NapkinCompilation();
  llvm::Expected<pipelines::Compiled> compiled = pipelines::compileText(
      llvm::StringRef(source, length), compile, textOf(chosen.name));
  if (!compiled) {
    result->failed = true;
    result->error = llvm::toString(compiled.takeError());
    return result;
  }
  result->ptx = std::move(compiled->ptx);
  result->manifest = std::move(compiled->manifest);
  llvm::raw_string_ostream stream(result->report);
  compiled->report.printJSON(stream);
  return result;
}

const char *napkinError(const NapkinCompilation *compilation) {
  return compilation->failed ? compilation->error.c_str() : nullptr;
}

const char *napkinPTX(const NapkinCompilation *compilation) {
  return compilation->ptx.c_str();
}

const char *napkinManifest(const NapkinCompilation *compilation) {
  return compilation->manifest.c_str();
}

const char *napkinReport(const NapkinCompilation *compilation) {
  return compilation->report.c_str();
}

void napkinDispose(NapkinCompilation *compilation) { delete compilation; }
