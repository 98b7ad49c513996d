//===- Explore.cpp - schedules variations -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One compilation per variation, each in a context of its own.
//===----------------------------------------------------------------------===//

#include "napkin/Explore/Explore.h"
#include "mlir/IR/Verifier.h"
#include "napkin/Cost/Hardware.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::explore;

/// Estimated microseconds of \p report on the machine of \p options.
static double timeOf(const report::CostReport &report,
                     const pipelines::CompileOptions &options) {
  return double(report.cycles()) /
         llvm::cantFail(cost::loadHardware(machineOf(options))).clockMHz;
}

/// The first error among \p messages.
static std::string firstError(llvm::ArrayRef<pipelines::Message> messages) {
  for (const pipelines::Message &message : messages)
    if (message.severity == DiagnosticSeverity::Error)
      return message.text;
  return "no reason was given";
}

llvm::Expected<Outcome>
napkin::explore::schedule(const llvm::SourceMgr &manager,
                          pipelines::CompileOptions options,
                          ArrayRef<Variation> variations) {
  MLIRContext context(pipelines::dialects(), MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  NamedModule named;
  {
    std::string messages;
    llvm::raw_string_ostream stream(messages);
    // SourceMgrDiagnosticHandler only reads what it is given.
    pipelines::MessagePrinter printer(const_cast<llvm::SourceMgr &>(manager),
                                      &context, stream);
    named = parseNamed(manager, &context);
    if (!named.module)
      return llvm::createStringError(StringRef(messages).rtrim());
  }
  Outcome outcome;
  outcome.label = llvm::join(
      llvm::map_range(variations, [](const Variation &v) { return v.str(); }),
      ", ");
  for (const Variation &variation : variations)
    if (llvm::Error error = apply(variation, named, options))
      return std::move(error);
  std::vector<pipelines::Message> messages;
  pipelines::MessageCollector collector(&context, messages);
  FailureOr<pipelines::Compiled> compiled = failure();
  if (succeeded(mlir::verify(*named.module)))
    compiled =
        pipelines::compile(*named.module, options, pipelines::Stage::Schedule);
  if (failed(compiled)) {
    outcome.refusal = firstError(messages);
    return outcome;
  }
  outcome.report = std::move(compiled->report);
  outcome.microseconds = timeOf(outcome.report, options);
  return outcome;
}
