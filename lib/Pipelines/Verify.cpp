//===- Verify.cpp - execute what was compiled, and judge it ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Pipelines/Verify.h"
#include "SaveData.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "napkin/Executor/Manifest.h"
#include "napkin/PTX/Parser.h"
#include "napkin/Reference/Inputs.h"
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
  LogicalResult prepare(const pipelines::Compiled &compiled);
  LogicalResult execute(const pipelines::Compiled &compiled);
  LogicalResult executeOnDevice(const pipelines::Compiled &compiled);
  void makeInputs();
  bool printKernels(const pipelines::Compiled &compiled);
  FailureOr<bool> judge(ncd::DiagramOp diagram);
  void printResult(const reference::Verification &result);
  FailureOr<std::vector<reference::Tensor>> takeOutputs(ncd::DiagramOp diagram);
  LogicalResult keepExpected(ncd::DiagramOp diagram,
                             ArrayRef<const ManifestArray *> names,
                             ArrayRef<reference::Verification> judged);

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
  /// For the folder of data.
  std::vector<pipelines::ExpectedResult> expected;
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
  std::string masks;
  for (auto diagram : source.getOps<ncd::DiagramOp>()) {
    std::vector<reference::Tensor> own;
    for (BlockArgument argument : diagram.getArguments()) {
      // The seeds of napkin-run: by position among the arrays.
      uint64_t position = names[next] - manifest.arrays.data();
      own.push_back(reference::randomInput(argument, options.distribution,
                                           options.seed + position));
      if (!reference::foldedAxesOfMask(argument).empty())
        masks += (masks.empty() ? "" : ", ") + names[next]->name;
      arrays[names[next++]->name] = own.back().toBytes();
    }
    inputs.push_back(std::move(own));
  }
  if (options.distribution == reference::Distribution::Masked)
    out << "masks among the inputs: "
        << (masks.empty() ? "none, no array is added to scores" : masks)
        << "\n";
}

LogicalResult Verifier::prepare(const pipelines::Compiled &compiled) {
  auto read = executor::parseManifest(compiled.manifest, "manifest");
  // Not tested: our own manifest that we cannot read.
  if (!read)
    return source.emitError("the manifest cannot be read back: ")
           << llvm::toString(read.takeError());
  manifest = std::move(*read);
  // The oracle keeps every element as a double, beside the device's copy.
  uint64_t bytes = 0;
  for (const ManifestArray &array : manifest.arrays)
    bytes += array.bytes;
  if (bytes > mostVerifiedBytes)
    return source.emitError("the arrays take ")
           << bytes << " bytes, and a verification holds at most "
           << mostVerifiedBytes << "; verify a smaller instance";
  makeInputs();
  return success();
}

/// Once for the results, and as often as the times want.
LogicalResult Verifier::executeOnDevice(const pipelines::Compiled &compiled) {
  out << "device     " << launch::describe(options.device->info()) << "\n";
  auto times = launch::run(*options.device, compiled.ptx, manifest, arrays,
                           options.timing);
  if (!times) {
    // emitError begins with the same word.
    std::string what = llvm::toString(times.takeError());
    StringRef text = what;
    text.consume_front("error: ");
    return source.emitError(text);
  }
  if (*times)
    out << launch::describe(**times, manifest);
  return success();
}

LogicalResult Verifier::execute(const pipelines::Compiled &compiled) {
  auto module = ptx::parse(compiled.ptx, manifest.ptx);
  // Not tested: our own PTX that we cannot read.
  if (!module)
    return source.emitError("the PTX cannot be read back: ")
           << llvm::toString(module.takeError());
  executor::Options execution;
  execution.progress = options.progress;
  execution.approximation = options.approximation;
  auto ran = executor::runManifest(**module, manifest, arrays, execution);
  // Not tested: our own PTX that cannot be launched.
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
    if (options.counted)
      options.counted(kernel.entry, launches[i].counters);
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

LogicalResult Verifier::keepExpected(ncd::DiagramOp diagram,
                                     ArrayRef<const ManifestArray *> names,
                                     ArrayRef<reference::Verification> judged) {
  reference::EvaluationOptions exactly;
  exactly.storage = reference::Storage::Exact;
  auto exact = reference::evaluateDiagram(diagram, inputs.front(), exactly);
  if (failed(exact))
    return failure();
  for (size_t i = 0; i < judged.size(); ++i)
    expected.push_back(
        {names[i]->name, std::move((*exact)[i]), judged[i].bound});
  return success();
}

FailureOr<bool> Verifier::judge(ncd::DiagramOp diagram) {
  const std::vector<const ManifestArray *> names = outputs;
  FailureOr<std::vector<reference::Tensor>> computed = takeOutputs(diagram);
  if (failed(computed))
    return failure();
  auto judged = reference::verifyResults(diagram, inputs.front(), *computed);
  if (failed(judged) || (!options.dataFolder.empty() &&
                         failed(keepExpected(diagram, names, *judged))))
    return failure();
  inputs.erase(inputs.begin());
  bool passed = true;
  for (const reference::Verification &result : *judged) {
    passed &= result.passed();
    printResult(result);
  }
  return passed;
}

void Verifier::printResult(const reference::Verification &result) {
  bool isTooLarge = !(result.actual.maxAbsError <= result.bound);
  out << fmt::format(
      "result {}: max error {:.3g}, bound {:.3g}, plain single precision "
      "{:.3g}, largest value {:.3g}{}\n",
      result.name, result.actual.maxAbsError, result.bound,
      result.plain.maxAbsError, result.actual.maxAbsReference,
      isTooLarge ? "   TOO LARGE" : "");
  if (!result.worst.empty())
    out << "  " << result.worst << "\n";
  auto count = [&](int64_t number, const char *what, bool isAll) {
    if (number)
      out << fmt::format("  {} of {} values {}{}\n", number, result.values,
                         what, isAll ? "   NOTHING IS VERIFIED" : "");
  };
  bool isFinite = result.isSomewhereFinite();
  count(result.nans, "are NaN", !isFinite && result.nans);
  count(result.infinities, "are infinite", !isFinite && !result.nans);
  count(result.unjudged,
        "cannot be judged: they overflow in plain single precision",
        result.unjudged == result.values);
  count(result.decided,
        "are on the other side of a comparison or rounding that is within "
        "the error of its operand",
        false);
}

FailureOr<bool> Verifier::run(const pipelines::Compiled &compiled) {
  auto diagrams = source.getOps<ncd::DiagramOp>();
  if (diagrams.empty())
    return source.emitError("cannot be verified: without an ncd.diagram there "
                            "is no reference");
  for (ncd::DiagramOp diagram : diagrams)
    if (failed(checkSizes(diagram)))
      return failure();
  if (failed(prepare(compiled)) ||
      failed(options.device ? executeOnDevice(compiled) : execute(compiled)))
    return failure();
  // A device counts nothing.
  bool passed = options.device || printKernels(compiled);
  for (ncd::DiagramOp diagram : diagrams) {
    FailureOr<bool> good = judge(diagram);
    if (failed(good))
      return failure();
    passed &= *good;
  }
  if (!options.dataFolder.empty())
    if (auto e =
            pipelines::saveData(options.dataFolder, manifest, arrays, expected))
      return source.emitError(llvm::toString(std::move(e)));
  out << (passed ? "verified\n" : "NOT VERIFIED\n");
  return passed;
}

/// Rounds the factors of f32 products to tf32, as the compilation may.
static void roundFactors(ModuleOp module) {
  module.walk([](ncd::ContractOp contract) {
    OpBuilder builder(contract);
    for (OpOperand &operand : contract->getOpOperands()) {
      auto type = cast<ncd::ArrayType>(operand.get().getType());
      if (!type.getElementType().isF32())
        continue;
      Type element = builder.getTF32Type();
      Value rounded = ncd::MapOp::create(
          builder, contract.getLoc(), type.withElementType(element),
          operand.get(),
          [&](OpBuilder &body, Location at, ValueRange elements) -> Value {
            return arith::TruncFOp::create(body, at, element, elements[0]);
          });
      operand.set(rounded);
    }
  });
}

FailureOr<bool> napkin::pipelines::verify(ModuleOp source,
                                          const pipelines::Compiled &compiled,
                                          const VerifyOptions &options,
                                          llvm::raw_ostream &out) {
  if (!options.roundToTF32)
    return Verifier(source, options, out).run(compiled);
  OwningOpRef<ModuleOp> rounded = source.clone();
  roundFactors(*rounded);
  return Verifier(*rounded, options, out).run(compiled);
}
