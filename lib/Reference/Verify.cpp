//===- Verify.cpp - is a result as exact as its precision allows ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two evaluations and two comparisons for each result.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Verify.h"
#include <cmath>

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;

/// 2^-126, the least normal f32: what is smaller may be flushed to zero.
static constexpr double leastNormal = 0x1p-126;

double napkin::reference::unitInLastPlace(Element element) {
  // 1 is where the mantissa begins anew: halve a step until it is lost.
  double step = 1;
  while (roundTo(element, 1 + step / 2) != 1 && step > 0x1p-60)
    step /= 2;
  return step;
}

/// The results of plain single precision: once with sums from first to last,
/// and where a result has too few values to show how large an error can be, in
/// random orders as well.
static FailureOr<std::vector<std::vector<Tensor>>>
plainRuns(ncd::DiagramOp diagram, llvm::ArrayRef<Tensor> inputs) {
  constexpr int64_t enoughValues = 64, mostRuns = 16;
  EvaluationOptions options;
  options.arithmetic = Arithmetic::Single;
  std::vector<std::vector<Tensor>> runs;
  int64_t wanted = 1;
  while (static_cast<int64_t>(runs.size()) < wanted) {
    if (!runs.empty())
      options.orderSeed = runs.size();
    FailureOr<std::vector<Tensor>> results =
        evaluateDiagram(diagram, inputs, options);
    if (failed(results))
      return failure();
    for (const Tensor &result : *results)
      if (isFloat(result.element) && !result.floats.empty())
        wanted = std::max<int64_t>(
            wanted, enoughValues / static_cast<int64_t>(result.floats.size()));
    wanted = std::min(wanted, mostRuns);
    runs.push_back(std::move(*results));
  }
  return runs;
}

FailureOr<std::vector<Verification>> napkin::reference::verifyResults(
    ncd::DiagramOp diagram, llvm::ArrayRef<Tensor> inputs,
    llvm::ArrayRef<Tensor> outputs, double factor) {
  if (outputs.size() != diagram.getNumResults())
    return diagram.emitOpError("gives ")
           << diagram.getNumResults() << " results, but " << outputs.size()
           << " are to be verified";
  EvaluationOptions options;
  options.storage = Storage::Exact;
  FailureOr<std::vector<Tensor>> exact =
      evaluateDiagram(diagram, inputs, options);
  if (failed(exact))
    return failure();
  FailureOr<std::vector<std::vector<Tensor>>> plain =
      plainRuns(diagram, inputs);
  if (failed(plain))
    return failure();

  std::vector<Verification> verifications;
  for (unsigned index = 0; index < outputs.size(); ++index) {
    Tensor &want = (*exact)[index];
    // A value beyond the element type's range is infinite however exact.
    for (double &value : want.floats)
      if (double stored = roundTo(want.element, value); !std::isfinite(stored))
        value = stored;
    Verification verification;
    verification.name = diagram.getResultName(index);
    auto compare = [&](const Tensor &have, Comparison &comparison) {
      llvm::Expected<Comparison> result = compareTensors(have, want);
      if (!result) {
        diagram.emitOpError("result '")
            << verification.name << "': " << llvm::toString(result.takeError());
        return failure();
      }
      comparison = *result;
      return success();
    };
    if (failed(compare(outputs[index], verification.actual)))
      return failure();
    for (const std::vector<Tensor> &results : *plain) {
      Comparison run;
      if (failed(compare(results[index], run)))
        return failure();
      if (&results == &plain->front() ||
          (std::isfinite(run.maxAbsError) &&
           run.maxAbsError > verification.plain.maxAbsError))
        verification.plain = run;
    }
    verification.bound = 0;
    if (isFloat(want.element))
      verification.bound =
          factor * verification.plain.maxAbsError +
          unitInLastPlace(want.element) * verification.plain.maxAbsReference +
          leastNormal;
    verifications.push_back(std::move(verification));
  }
  return verifications;
}
