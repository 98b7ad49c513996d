//===- Compiler.cpp - the compiler from C ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin-c/Compiler.h"
#include "napkin/Pipelines/Pipelines.h"
#include "napkin/Pipelines/Source.h"
#include "napkin/Pipelines/Verify.h"
#include "napkin/Pipelines/Version.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace mlir;
using namespace napkin;

struct NapkinCompilation {
  /// Of the source; the same for every context that reads it.
  std::string source, name;
  /// Empty after an error.
  std::optional<pipelines::Compiled> compiled;
  std::string error, report, output, verification;
  std::vector<pipelines::Message> messages;
  /// The C view of `messages`.
  std::vector<NapkinDiagnostic> diagnostics;

  /// To be called whenever messages were added.
  void updateDiagnostics();
};

/// A context whose messages go into a compilation. The text of all errors, with
/// lines of the source, is gathered beside them.
namespace {
class Reader {
public:
  explicit Reader(NapkinCompilation &compilation)
      : context(pipelines::dialects(), MLIRContext::Threading::DISABLED),
        stream(text), handler(addBuffer(compilation), &context, stream),
        collector(&context, compilation.messages) {
    context.printOpOnDiagnostic(false);
    module = pipelines::parseSource(manager, &context);
  }

  /// All errors so far.
  std::string errors() { return StringRef(text).rtrim().str(); }

private:
  llvm::SourceMgr &addBuffer(const NapkinCompilation &compilation) {
    manager.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(
                                   compilation.source, compilation.name),
                               llvm::SMLoc());
    return manager;
  }

  llvm::SourceMgr manager;

public:
  MLIRContext context;

private:
  std::string text;
  llvm::raw_string_ostream stream;
  pipelines::MessagePrinter handler;
  pipelines::MessageCollector collector;

public:
  /// Null after an error.
  OwningOpRef<ModuleOp> module;
};
} // namespace

void NapkinCompilation::updateDiagnostics() {
  diagnostics.clear();
  for (const pipelines::Message &message : messages) {
    NapkinSeverity severity = NAPKIN_ERROR;
    switch (message.severity) {
    case DiagnosticSeverity::Error:
      break;
    case DiagnosticSeverity::Warning:
      severity = NAPKIN_WARNING;
      break;
    case DiagnosticSeverity::Remark:
      severity = NAPKIN_REMARK;
      break;
    case DiagnosticSeverity::Note:
      severity = NAPKIN_NOTE;
      break;
    }
    diagnostics.push_back({severity, message.file.c_str(), message.line,
                           message.column, message.text.c_str()});
  }
}

static std::string textOf(const char *text) { return text ? text : ""; }

/// Writes as much of \p defaults as the caller's structure holds.
template <typename Options>
static void initialize(Options *options, size_t size, Options defaults) {
  defaults.size = size;
  defaults.version = NAPKIN_OPTIONS_VERSION;
  std::memset(static_cast<void *>(options), 0, size);
  std::memcpy(static_cast<void *>(options), &defaults,
              std::min(size, sizeof defaults));
}

/// The caller's options as this library knows them: what an older structure
/// lacks has its default. False if a newer one uses what is not known here.
template <typename Options>
static bool receive(const Options *given, Options &options) {
  if (!given)
    return true;
  std::memcpy(static_cast<void *>(&options), given,
              std::min(given->size, sizeof options));
  const char *bytes = reinterpret_cast<const char *>(given);
  for (size_t i = sizeof options; i < given->size; ++i)
    if (bytes[i])
      return false;
  return true;
}

static NapkinOptions defaultOptions() {
  NapkinOptions options = {};
  options.target = options.hardware = options.ptxFile = options.stage = "";
  options.name = "diagram";
  options.inputBound = pipelines::CompileOptions().inputBound;
  return options;
}

static NapkinVerifyOptions defaultVerifyOptions() {
  NapkinVerifyOptions options = {};
  options.seed = pipelines::VerifyOptions().seed;
  options.inputs = "normal";
  return options;
}

void napkinInitOptions(NapkinOptions *options, size_t size) {
  initialize(options, size, defaultOptions());
}

void napkinInitVerifyOptions(NapkinVerifyOptions *options, size_t size) {
  initialize(options, size, defaultVerifyOptions());
}

const char *napkinVersion(void) { return NAPKIN_VERSION; }

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

static std::vector<std::string> pinsOf(const NapkinPin *pins, size_t count) {
  std::vector<std::string> texts;
  for (const NapkinPin &pin : llvm::ArrayRef(pins, count)) {
    std::string axis = textOf(pin.axis);
    texts.push_back(axis == "none" ? axis
                                   : axis + ":" + std::to_string(pin.size));
  }
  return texts;
}

/// A message that is about no place of the source.
static NapkinCompilation *refuse(NapkinCompilation *result,
                                 const std::string &text) {
  result->messages.push_back(
      {DiagnosticSeverity::Error, result->name, 0, 0, text});
  result->error = result->name + ": error: " + text;
  result->updateDiagnostics();
  return result;
}

NapkinCompilation *napkinCompile(const char *source, size_t length,
                                 const NapkinOptions *given) {
  auto *result = new NapkinCompilation();
  result->source.assign(source ? source : "", source ? length : 0);
  NapkinOptions options = defaultOptions();
  bool isKnown = receive(given, options);
  result->name = textOf(options.name);
  if (!isKnown)
    return refuse(result, "the options are those of a newer Napkin than this, "
                          "which is " NAPKIN_VERSION);
  pipelines::CompileOptions compile;
  compile.target = textOf(options.target);
  compile.hardware = textOf(options.hardware);
  compile.ptxFile = textOf(options.ptxFile);
  compile.pinGroup = pinsOf(options.pinGroup, options.numPinGroup);
  compile.pinStream = pinsOf(options.pinStream, options.numPinStream);
  compile.pinSplit = pinsOf(options.pinSplit, options.numPinSplit);
  compile.pinWarps = options.pinWarps;
  compile.pinStages = options.pinStages;
  compile.inputBound = options.inputBound;
  compile.allowTF32 = options.allowTF32 != 0;
  pipelines::Stage stage = pipelines::Stage::PTX;
  if (std::string name = textOf(options.stage); !name.empty()) {
    std::optional<pipelines::Stage> known = pipelines::parseStage(name);
    if (!known)
      return refuse(result, "unknown stage '" + name +
                                "'; napkinStageName() lists them");
    stage = *known;
  }
  Reader reader(*result);
  if (reader.module) {
    FailureOr<pipelines::Compiled> compiled =
        pipelines::compile(*reader.module, compile, stage);
    if (succeeded(compiled)) {
      result->output = pipelines::outputOf(stage, *reader.module, *compiled);
      result->compiled = std::move(*compiled);
      llvm::raw_string_ostream stream(result->report);
      if (stage >= pipelines::Stage::Schedule)
        result->compiled->report.printJSON(stream);
    }
  }
  if (!result->compiled)
    result->error = reader.errors();
  result->updateDiagnostics();
  return result;
}

const char *napkinError(const NapkinCompilation *compilation) {
  return compilation->compiled ? nullptr : compilation->error.c_str();
}

const char *napkinPTX(const NapkinCompilation *compilation) {
  return compilation->compiled ? compilation->compiled->ptx.c_str() : "";
}

const char *napkinManifest(const NapkinCompilation *compilation) {
  return compilation->compiled ? compilation->compiled->manifest.c_str() : "";
}

const char *napkinReport(const NapkinCompilation *compilation) {
  return compilation->report.c_str();
}

const char *napkinOutput(const NapkinCompilation *compilation, size_t *length) {
  if (length)
    *length = compilation->output.size();
  return compilation->output.c_str();
}

void napkinDispose(NapkinCompilation *compilation) { delete compilation; }

size_t napkinNumStages(void) { return pipelines::stages().size(); }

const char *napkinStageName(size_t index) {
  return index < napkinNumStages() ? pipelines::stages()[index].name.data()
                                   : nullptr;
}

const char *napkinStageDescription(size_t index) {
  return index < napkinNumStages()
             ? pipelines::stages()[index].description.data()
             : nullptr;
}

size_t napkinNumDiagnostics(const NapkinCompilation *compilation) {
  return compilation->diagnostics.size();
}

const NapkinDiagnostic *napkinDiagnostic(const NapkinCompilation *compilation,
                                         size_t index) {
  return index < compilation->diagnostics.size()
             ? &compilation->diagnostics[index]
             : nullptr;
}

//===----------------------------------------------------------------------===//
// Verifying
//===----------------------------------------------------------------------===//

NapkinVerdict napkinVerify(NapkinCompilation *compilation,
                           const NapkinVerifyOptions *given) {
  auto fail = [&](const char *text) {
    compilation->messages.push_back(
        {DiagnosticSeverity::Error, compilation->name, 0, 0, text});
    compilation->updateDiagnostics();
    return NAPKIN_NOT_RUN;
  };
  NapkinVerifyOptions options = defaultVerifyOptions();
  if (!receive(given, options))
    return fail("the options are those of a newer Napkin than this, which "
                "is " NAPKIN_VERSION);
  if (!compilation->compiled || compilation->compiled->ptx.empty())
    return fail("there is no PTX to verify");
  std::string inputs = textOf(options.inputs);
  std::optional<reference::Distribution> distribution =
      reference::parseDistribution(inputs.empty() ? "normal" : inputs);
  if (!distribution)
    return fail("unknown kind of inputs; those of napkinc --inputs are known");
  pipelines::VerifyOptions verify;
  verify.distribution = *distribution;
  verify.seed = options.seed;
  if (options.progress)
    verify.progress = [&](uint64_t done, uint64_t all) {
      options.progress(done, all, options.progressUser);
    };
  Reader reader(*compilation);
  compilation->verification.clear();
  llvm::raw_string_ostream stream(compilation->verification);
  FailureOr<bool> passed = failure();
  if (reader.module)
    passed = pipelines::verify(*reader.module, *compilation->compiled, verify,
                               stream);
  compilation->updateDiagnostics();
  if (failed(passed))
    return NAPKIN_NOT_RUN;
  return *passed ? NAPKIN_VERIFIED : NAPKIN_DIFFERS;
}

const char *napkinVerification(const NapkinCompilation *compilation) {
  return compilation->verification.c_str();
}
