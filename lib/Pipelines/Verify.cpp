//===- Verify.cpp - execute what was compiled, and judge it ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Pipelines/Verify.h"
#include "napkin/Executor/Manifest.h"
#include "napkin/PTX/Parser.h"
#include "napkin/Reference/Evaluate.h"
#include "napkin/Reference/Verify.h"
#include <fmt/format.h>

using namespace mlir;
using namespace napkin;
using executor::ManifestArray;

namespace {

/// What the arrays of a verified program may take together, in bytes.
constexpr uint64_t mostVerifiedBytes = uint64_t(1) << 30;

/// One verification under way.
class Verifier {
public:
  Verifier(ModuleOp source, const pipelines::VerifyOptions &options,
           llvm::raw_ostream &out)
      : source(source), options(options), out(out) {}

  FailureOr<bool> run(const pipelines::Compiled &compiled);

private:
  LogicalResult execute(const pipelines::Compiled &compiled);
  void makeInputs();
  bool printKernels(const pipelines::Compiled &compiled);
  FailureOr<bool> judge(ncd::DiagramOp diagram);
  FailureOr<std::vector<reference::Tensor>> takeOutputs(ncd::DiagramOp diagram);

  ModuleOp source;
  const pipelines::VerifyOptions &options;
  llvm::raw_ostream &out;
  executor::Manifest manifest;
  executor::HostArrays arrays;
  std::vector<executor::LaunchResult> launches;
  /// Inputs of each diagram, in order.
  std::vector<std::vector<reference::Tensor>> inputs;
  /// Outputs of the manifest that are not judged yet.
  std::vector<const ManifestArray *> outputs;
};

} // namespace

/// What the reference refuses should be refused before anything is run.
static LogicalResult checkSizes(ncd::DiagramOp diagram) {
  const int64_t limit = reference::EvaluationOptions().maxElements;
  WalkResult walked = diagram.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto array = dyn_cast<ncd::ArrayType>(type))
        if (array.getNumElements().value_or(0) > limit) {
          op->emitError("an array of ")
              << *array.getNumElements()
              << " elements is more than --verify evaluates (" << limit
              << "); verify the diagram at smaller sizes";
          return WalkResult::interrupt();
        }
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

void Verifier::makeInputs() {
  std::vector<const ManifestArray *> names;
  for (const ManifestArray &array : manifest.arrays) {
    if (array.role == ManifestArray::Role::Input)
      names.push_back(&array);
    if (array.role == ManifestArray::Role::Output)
      outputs.push_back(&array);
  }
  // Inputs and outputs stand in the manifest in the order of the diagrams.
  size_t next = 0;
  for (auto diagram : source.getOps<ncd::DiagramOp>()) {
    std::vector<reference::Tensor> own;
    for (Type type : diagram.getArgumentTypes()) {
      // The seeds of napkin-run: by position among the arrays.
      uint64_t position = names[next] - manifest.arrays.data();
      own.push_back(reference::randomTensor(cast<ncd::ArrayType>(type),
                                            options.distribution,
                                            options.seed + position));
      arrays[names[next++]->name] = own.back().toBytes();
    }
    inputs.push_back(std::move(own));
  }
}

LogicalResult Verifier::execute(const pipelines::Compiled &compiled) {
  auto read = executor::parseManifest(compiled.manifest, "manifest");
  if (!read)
    return source.emitError("the manifest cannot be read back: ")
           << llvm::toString(read.takeError());
  manifest = std::move(*read);
  auto module = ptx::parse(compiled.ptx, manifest.ptx);
  if (!module)
    return source.emitError("the PTX cannot be read back: ")
           << llvm::toString(module.takeError());
  // The oracle keeps every element as a double, beside the device's copy.
  uint64_t bytes = 0;
  for (const ManifestArray &array : manifest.arrays)
    bytes += array.bytes;
  if (bytes > mostVerifiedBytes)
    return source.emitError("the arrays take ")
           << bytes << " bytes, and a verification holds at most "
           << mostVerifiedBytes << "; verify a smaller instance";
  makeInputs();
  executor::Options execution;
  execution.progress = options.progress;
  auto ran = executor::runManifest(**module, manifest, arrays, execution);
  if (!ran)
    return source.emitError("the PTX cannot be executed: ")
           << llvm::toString(ran.takeError());
  launches = std::move(*ran);
  for (const executor::LaunchResult &launch : launches)
    if (!launch.traps.empty()) {
      std::string text;
      for (const executor::Trap &trap : launch.traps)
        text += "\n" + executor::describe(trap, manifest.ptx);
      return source.emitError("the execution of the PTX was stopped")
             << StringRef(text).rtrim();
    }
  return success();
}

bool Verifier::printKernels(const pipelines::Compiled &compiled) {
  bool equal = true;
  for (size_t i = 0; i < launches.size(); ++i) {
    const executor::ManifestKernel &kernel = manifest.kernels[i];
    const executor::InstructionCounters &counted = launches[i].counters.total;
    out << fmt::format("kernel {}: {} blocks of {} threads, {} bytes of shared "
                       "memory a block\n",
                       kernel.entry, kernel.config.grid[0],
                       kernel.config.block[0],
                       kernel.config.dynamicSharedBytes);
    out << fmt::format("  {:<22}{:>16}{:>16}{:>16}\n", "global bytes",
                       "predicted", "tile program", "counted");
    bool hasTiles = compiled.transfers.size() == launches.size();
    auto line = [&](const char *what, std::optional<uint64_t> predicted,
                    std::optional<uint64_t> moved, uint64_t count) {
      auto number = [](std::optional<uint64_t> value) {
        return value ? fmt::format("{}", *value) : std::string("-");
      };
      bool same = predicted == count && (!moved || moved == count);
      equal &= same;
      out << fmt::format("  {:<22}{:>16}{:>16}{:>16}{}\n", what,
                         number(predicted), number(moved), count,
                         same ? "" : "   DIFFERENT");
    };
    std::optional<uint64_t> read, written;
    if (hasTiles) {
      read = compiled.transfers[i].read;
      written = compiled.transfers[i].written;
    }
    line("read", kernel.predictedReadBytes, read, counted.globalReadBytes);
    line("written", kernel.predictedWriteBytes, written,
         counted.globalWriteBytes);
    out << fmt::format("  {:<22}{:>48}\n", "bank conflicts",
                       counted.sharedConflicts);
  }
  return equal;
}

FailureOr<std::vector<reference::Tensor>>
Verifier::takeOutputs(ncd::DiagramOp diagram) {
  std::vector<reference::Tensor> tensors;
  for (Type type : diagram.getResultTypes()) {
    auto array = cast<ncd::ArrayType>(type);
    auto tensor = reference::Tensor::fromBytes(
        reference::axesOf(array), reference::elementOf(array.getElementType()),
        arrays[outputs[tensors.size()]->name]);
    if (!tensor)
      return diagram.emitError(llvm::toString(tensor.takeError()));
    tensors.push_back(std::move(*tensor));
  }
  outputs.erase(outputs.begin(), outputs.begin() + tensors.size());
  return tensors;
}

FailureOr<bool> Verifier::judge(ncd::DiagramOp diagram) {
  FailureOr<std::vector<reference::Tensor>> computed = takeOutputs(diagram);
  if (failed(computed))
    return failure();
  auto judged = reference::verifyResults(diagram, inputs.front(), *computed);
  inputs.erase(inputs.begin());
  if (failed(judged))
    return failure();
  bool passed = true;
  for (const reference::Verification &result : *judged) {
    passed &= result.passed();
    out << fmt::format(
        "result {}: max error {:.3g}, bound {:.3g}, plain single precision "
        "{:.3g}, largest value {:.3g}{}\n",
        result.name, result.actual.maxAbsError, result.bound,
        result.plain.maxAbsError, result.actual.maxAbsReference,
        result.passed() ? "" : "   TOO LARGE");
  }
  return passed;
}

FailureOr<bool> Verifier::run(const pipelines::Compiled &compiled) {
  auto diagrams = source.getOps<ncd::DiagramOp>();
  if (diagrams.empty())
    return source.emitError("cannot be verified: without an ncd.diagram there "
                            "is no reference");
  for (ncd::DiagramOp diagram : diagrams)
    if (failed(checkSizes(diagram)))
      return failure();
  if (failed(execute(compiled)))
    return failure();
  bool passed = printKernels(compiled);
  for (ncd::DiagramOp diagram : diagrams) {
    FailureOr<bool> good = judge(diagram);
    if (failed(good))
      return failure();
    passed &= *good;
  }
  out << (passed ? "verified\n" : "NOT VERIFIED\n");
  return passed;
}

FailureOr<bool> napkin::pipelines::verify(ModuleOp source,
                                          const pipelines::Compiled &compiled,
                                          const VerifyOptions &options,
                                          llvm::raw_ostream &out) {
  return Verifier(source, options, out).run(compiled);
}
