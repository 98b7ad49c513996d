//===- Verify.cpp - is a result as exact as its precision allows ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluations in exact arithmetic, in plain single precision, and on the other
// side of each near decision; then two comparisons for each result.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Verify.h"
#include "Decisions.h"
#include <cmath>
#include <fmt/format.h>

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;

/// 2^-126, the least normal f32: what is smaller may be flushed to zero.
static constexpr double leastNormal = 0x1p-126;

static constexpr double infinity = std::numeric_limits<double>::infinity();

double napkin::reference::unitInLastPlace(Element element) {
  // 1 is where the mantissa begins anew: halve a step until it is lost.
  double step = 1;
  while (roundTo(element, 1 + step / 2) != 1 && step > 0x1p-60)
    step /= 2;
  return step;
}

static double valueAt(const Tensor &tensor, int64_t index) {
  return isFloat(tensor.element) ? tensor.floats[index]
                                 : static_cast<double>(tensor.integers[index]);
}

namespace {

using Results = std::vector<Tensor>;

/// Judges the results of one diagram.
class Judge {
public:
  /// \p hidden: EvaluationOptions::hiddenStaysHidden.
  Judge(ncd::DiagramOp diagram, llvm::ArrayRef<Tensor> inputs, double factor,
        bool hidden = false)
      : diagram(diagram), inputs(inputs), factor(factor), hidden(hidden) {}

  LogicalResult evaluate();
  /// Takes the other reading of masks for elements that are NaN by IEEE and not
  /// in \p outputs: a mask may take away what lies at hidden positions before
  /// it is read.
  LogicalResult readMasksAgain(llvm::ArrayRef<Tensor> outputs);
  FailureOr<Verification> judge(unsigned index, const Tensor &output);

private:
  /// \p beyond, unless null: takes for each result which elements are finite
  /// and larger than its type holds.
  FailureOr<Results>
  evaluateExactly(std::vector<std::vector<bool>> *beyond = nullptr);
  LogicalResult evaluatePlainly();
  LogicalResult evaluateShifted();
  /// Evaluates once more, to find sums that overflow in some order, unless it
  /// is done.
  LogicalResult evaluateOverflows();
  /// Marks the elements of result \p index of which nothing can be said, if
  /// \p output is what was computed.
  std::vector<bool> unjudgedOf(unsigned index, const Tensor &output) const;
  std::string describeWorst(const Tensor &have, unsigned index,
                            int64_t worst) const;
  /// How far an element may be below and above its exact value.
  struct Reach {
    double down = 0, up = 0;
  };
  std::vector<Reach> reachOf(unsigned index) const;
  FailureOr<Comparison> compare(const Tensor &have, unsigned index);

  ncd::DiagramOp diagram;
  llvm::ArrayRef<Tensor> inputs;
  double factor;
  bool hidden;
  Decisions decisions;
  /// In exact arithmetic.
  Results exact;
  /// Which of them are finite and larger than their type holds: infinite.
  std::vector<std::vector<bool>> beyond;
  /// In single precision, with the decisions of exact arithmetic.
  std::vector<Results> plain;
  /// As `plain`, but NaN where another order of the same sums may overflow;
  /// empty where nobody asked.
  Results overflows;
  /// In exact arithmetic, near decisions taken otherwise.
  std::vector<Results> shifted;
};

} // namespace

FailureOr<Results>
Judge::evaluateExactly(std::vector<std::vector<bool>> *beyond) {
  EvaluationOptions options;
  options.storage = Storage::Exact;
  options.hiddenStaysHidden = hidden;
  options.decisions = &decisions;
  FailureOr<Results> results = evaluateDiagram(diagram, inputs, options);
  if (failed(results))
    return failure();
  // A value beyond the element type's range is infinite however exact.
  for (Tensor &result : *results) {
    std::vector<bool> isBeyond(result.size());
    for (auto [i, value] : llvm::enumerate(result.floats))
      if (double stored = roundTo(result.element, value);
          !std::isfinite(stored)) {
        isBeyond[i] = std::isfinite(value);
        value = stored;
      }
    if (beyond)
      beyond->push_back(std::move(isBeyond));
  }
  return results;
}

/// Plain single precision: once with sums from first to last, and where a
/// result has too few values to show how large an error can be, or is of f64,
/// in random orders as well.
LogicalResult Judge::evaluatePlainly() {
  constexpr int64_t enoughValues = 64, mostRuns = 16, ordersOfDoubles = 4;
  EvaluationOptions options;
  options.arithmetic = Arithmetic::Single;
  options.hiddenStaysHidden = hidden;
  // Its errors count `factor` times.
  options.functionErrors = 1 / factor;
  options.decisions = &decisions;
  int64_t wanted = 1;
  while (static_cast<int64_t>(plain.size()) < wanted) {
    if (!plain.empty())
      options.orderSeed = plain.size();
    decisions.measure();
    FailureOr<Results> results = evaluateDiagram(diagram, inputs, options);
    if (failed(results))
      return failure();
    for (const Tensor &result : *results)
      if (isFloat(result.element) && !result.floats.empty())
        wanted = std::max<int64_t>(
            wanted, enoughValues / static_cast<int64_t>(result.floats.size()));
    // What is exact for f32 is plain arithmetic for f64: only another order of
    // the same sums shows how large its errors are.
    for (const Tensor &result : *results)
      if (result.element == Element::F64)
        wanted = std::max(wanted, ordersOfDoubles);
    wanted = std::min(wanted, mostRuns);
    plain.push_back(std::move(*results));
  }
  return success();
}

/// All near decisions down, all of them up, and if that changes a result, some
/// mixtures: a sum of decided values may come out anywhere between.
LogicalResult Judge::evaluateShifted() {
  if (!decisions.hasErrors())
    return success();
  constexpr int mixtures = 4;
  using Shift = Decisions::Shift;
  llvm::SmallVector<Shift, 8> shifts = {Shift::Down, Shift::Up};
  for (unsigned run = 0; run < shifts.size(); ++run) {
    decisions.shift(shifts[run], factor, run);
    FailureOr<Results> results = evaluateExactly();
    if (failed(results))
      return failure();
    shifted.push_back(std::move(*results));
    bool isLastFixed = run == 1;
    if (isLastFixed &&
        llvm::any_of(llvm::seq<size_t>(exact.size()),
                     [&](size_t index) { return !reachOf(index).empty(); }))
      shifts.append(mixtures, Shift::Random);
  }
  return success();
}

LogicalResult Judge::evaluateOverflows() {
  if (!overflows.empty())
    return success();
  EvaluationOptions options;
  options.arithmetic = Arithmetic::Single;
  options.hiddenStaysHidden = hidden;
  options.mayOverflowIsNaN = true;
  FailureOr<Results> results = evaluateDiagram(diagram, inputs, options);
  if (failed(results))
    return failure();
  overflows = std::move(*results);
  return success();
}

LogicalResult Judge::evaluate() {
  decisions.record();
  FailureOr<Results> results = evaluateExactly(&beyond);
  if (failed(results))
    return failure();
  exact = std::move(*results);
  if (failed(evaluatePlainly()))
    return failure();
  return evaluateShifted();
}

LogicalResult Judge::readMasksAgain(llvm::ArrayRef<Tensor> outputs) {
  bool asksPositions =
      diagram.walk([](ncd::IndexOp) { return WalkResult::interrupt(); })
          .wasInterrupted();
  auto isMissing = [&](size_t index, int64_t i) {
    return exact[index].size() == outputs[index].size() &&
           std::isnan(valueAt(exact[index], i)) &&
           !std::isnan(valueAt(outputs[index], i));
  };
  bool any = false;
  for (size_t index = 0; index < exact.size(); ++index)
    for (int64_t i = 0; i < exact[index].size() && asksPositions && !any; ++i)
      any = isMissing(index, i);
  if (!any)
    return success();
  Judge other(diagram, inputs, factor, /*hidden=*/true);
  if (failed(other.evaluate()))
    return failure();
  for (size_t index = 0; index < exact.size(); ++index)
    for (int64_t i = 0; i < exact[index].size(); ++i) {
      if (!isMissing(index, i))
        continue;
      exact[index].floats[i] = other.exact[index].floats[i];
      beyond[index][i] = other.beyond[index][i];
      for (auto [own, others] : llvm::zip(plain, other.plain))
        own[index].floats[i] = others[index].floats[i];
      for (Results &own : shifted)
        own[index].floats[i] = other.exact[index].floats[i];
    }
  return success();
}

/// Between which values each element of result \p index moves as near decisions
/// change; empty where none moves. An element that has one decision behind it
/// has two values, and no other is right; one with several may be further off
/// than in any of the evaluations, by `factor` as errors are.
std::vector<Judge::Reach> Judge::reachOf(unsigned index) const {
  const Tensor &want = exact[index];
  std::vector<Reach> reaches(want.size());
  bool any = false;
  for (int64_t i = 0; i < want.size(); ++i) {
    Reach &reach = reaches[i];
    double own = valueAt(want, i), other = own;
    bool isMixture = false;
    for (const Results &results : shifted) {
      double value = valueAt(results[index], i);
      if (value == own || (std::isnan(value) && std::isnan(own)))
        continue;
      any = true;
      isMixture |= other != own && other != value;
      other = value;
      double distance = value - own;
      if (std::isnan(distance))
        reach = {infinity, infinity};
      reach.down = std::max(reach.down, -distance);
      reach.up = std::max(reach.up, distance);
    }
    if (isMixture) {
      reach.down *= factor;
      reach.up *= factor;
    }
  }
  if (!any)
    reaches.clear();
  return reaches;
}

FailureOr<Comparison> Judge::compare(const Tensor &have, unsigned index) {
  llvm::Expected<Comparison> result = compareTensors(have, exact[index]);
  if (!result) {
    diagram.emitOpError("result '")
        << diagram.getResultName(index)
        << "': " << llvm::toString(result.takeError());
    return failure();
  }
  return *result;
}

/// Whether one of two values is finite and the other is not, or both are
/// infinite or NaN in different ways.
static bool areApart(double a, double b) {
  if (std::isfinite(a) && std::isfinite(b))
    return false;
  return a != b && !(std::isnan(a) && std::isnan(b));
}

// Where single precision overflows and exact arithmetic does not, nothing can
// be said of the kernel. Where the result itself is too large, what overflows
// on the way may have made it NaN, but not finite.
std::vector<bool> Judge::unjudgedOf(unsigned index,
                                    const Tensor &output) const {
  const Tensor &want = exact[index];
  std::vector<bool> isUnjudged(want.size());
  for (int64_t i = 0; i < want.size(); ++i) {
    auto isApart = [&](const Results &results) {
      return areApart(valueAt(results[index], i), valueAt(want, i));
    };
    double value = valueAt(output, i);
    isUnjudged[i] =
        llvm::any_of(plain, isApart) ||
        (std::isnan(value) && beyond[index][i]) ||
        (!std::isfinite(value) && !overflows.empty() && isApart(overflows));
  }
  return isUnjudged;
}

/// "at q = 3, d = 0 it is nan, and exactly 12.5".
std::string Judge::describeWorst(const Tensor &have, unsigned index,
                                 int64_t worst) const {
  const Tensor &want = exact[index];
  std::string place;
  int64_t rest = worst;
  for (const Axis &axis : llvm::reverse(want.axes)) {
    place = fmt::format("{} = {}{}{}", axis.name, rest % axis.size,
                        place.empty() ? "" : ", ", place);
    rest /= axis.size;
  }
  return fmt::format("{}{}it is {:.4g}, and exactly {:.4g}",
                     place.empty() ? "" : "at ",
                     place.empty() ? "" : place + " ", valueAt(have, worst),
                     valueAt(want, worst));
}

FailureOr<Verification> Judge::judge(unsigned index, const Tensor &output) {
  const Tensor &want = exact[index];
  Verification verification;
  verification.name = diagram.getResultName(index);
  // Shapes first: what follows goes by position.
  if (failed(compare(output, index)))
    return failure();
  verification.values = want.size();
  bool isFloatResult = isFloat(want.element);
  std::vector<bool> isUnjudged = unjudgedOf(index, output);
  for (int64_t i = 0; i < want.size() && isFloatResult; ++i)
    if (!isUnjudged[i] && areApart(valueAt(output, i), valueAt(want, i))) {
      if (failed(evaluateOverflows()))
        return failure();
      isUnjudged = unjudgedOf(index, output);
      break;
    }
  double largest = 0; // of what is judged: a value that is not widens no bound
  for (int64_t i = 0; i < want.size(); ++i) {
    double value = valueAt(output, i);
    verification.nans += std::isnan(value);
    verification.infinities += std::isinf(value);
    verification.unjudged += isUnjudged[i];
    if (double size = std::fabs(valueAt(want, i));
        !isUnjudged[i] && std::isfinite(size))
      largest = std::max(largest, size);
  }
  auto judgedPart = [&](Tensor have) {
    for (int64_t i = 0; i < want.size(); ++i)
      if (isUnjudged[i] && isFloatResult)
        have.floats[i] = want.floats[i];
    return have;
  };
  for (const Results &results : plain) {
    FailureOr<Comparison> run = compare(judgedPart(results[index]), index);
    if (failed(run))
      return failure();
    if (&results == &plain.front() ||
        run->maxAbsError > verification.plain.maxAbsError)
      verification.plain = *run;
  }
  if (isFloatResult)
    verification.bound = factor * verification.plain.maxAbsError +
                         unitInLastPlace(want.element) * largest + leastNormal;
  // What a near decision explains is no error.
  Tensor have = judgedPart(output);
  std::vector<Reach> reaches = reachOf(index);
  for (size_t i = 0; i < reaches.size(); ++i) {
    double error = valueAt(have, i) - valueAt(want, i);
    double reach = error < 0 ? reaches[i].down : reaches[i].up;
    if (areApart(valueAt(have, i), valueAt(want, i)))
      reach =
          std::max(reaches[i].down, reaches[i].up) == infinity ? infinity : 0;
    else if (std::fabs(error) <= verification.bound ||
             std::fabs(error) > reach + verification.bound)
      continue;
    if (reach == 0)
      continue;
    ++verification.decided;
    if (isFloatResult)
      have.floats[i] = want.floats[i];
    else
      have.integers[i] = want.integers[i];
  }
  FailureOr<Comparison> actual = compare(have, index);
  if (failed(actual))
    return failure();
  verification.actual = *actual;
  if (!(actual->maxAbsError <= verification.bound) && actual->worst >= 0)
    verification.worst = describeWorst(have, index, actual->worst);
  return verification;
}

FailureOr<std::vector<Verification>> napkin::reference::verifyResults(
    ncd::DiagramOp diagram, llvm::ArrayRef<Tensor> inputs,
    llvm::ArrayRef<Tensor> outputs, double factor) {
  if (outputs.size() != diagram.getNumResults())
    return diagram.emitOpError("gives ")
           << diagram.getNumResults() << " results, but " << outputs.size()
           << " are to be verified";
  Judge judge(diagram, inputs, factor);
  if (failed(judge.evaluate()) || failed(judge.readMasksAgain(outputs)))
    return failure();
  std::vector<Verification> verifications;
  for (unsigned index = 0; index < outputs.size(); ++index) {
    FailureOr<Verification> verification = judge.judge(index, outputs[index]);
    if (failed(verification))
      return failure();
    verifications.push_back(std::move(*verification));
  }
  return verifications;
}
