//===- NeutralStep.cpp - when a step leaves its state alone -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NeutralStep.h"
#include "AbstractScalars.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::algebra;

using A = Abstract;

/// Members that are looked at class by class: 4 cases each.
static constexpr unsigned mostSplit = 5;

static bool isFloat(Value value) {
  return isa<FloatType>(cast<ncd::ArrayType>(value.getType()).getElementType());
}

/// Whether something in \p block compares or subtracts what \p state brings.
static bool decides(BlockArgument state) {
  return llvm::any_of(state.getUses(), [](OpOperand &use) {
    auto map = dyn_cast<ncd::MapOp>(use.getOwner());
    if (!map)
      return false;
    BlockArgument inner = map.getBody().getArgument(use.getOperandNumber());
    return llvm::any_of(inner.getUsers(), [](Operation *user) {
      return isa<arith::CmpFOp, arith::SubFOp, arith::MaximumFOp,
                 arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp,
                 math::ExpOp, math::Exp2Op>(user);
    });
  });
}

NeutralStep::NeutralStep(ncd::StreamOp stream)
    : stream(stream), members(stream.getNumStates()) {
  // The empty state: constants, mostly.
  Values values;
  for (Operation &op : stream.getInit().front().without_terminator())
    if (op.getNumResults() == 1)
      values[op.getResult(0)] = result(&op, values, {});
  Operation *yield = stream.getInit().front().getTerminator();
  for (unsigned member = 0; member < members; ++member) {
    auto known = values.find(yield->getOperand(member));
    begins.push_back(known == values.end() ? uint8_t(A::Any)
                                           : known->second.classes);
    BlockArgument state = stream.getStepStates()[member];
    bool atInfinity =
        begins.back() == A::MinusInf || begins.back() == A::PlusInf;
    if (isFloat(state) && (atInfinity || decides(state)))
      split.push_back(member);
  }
  if (split.size() <= mostSplit)
    findClaims();
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

ncd::IntegerRanges
NeutralStep::rangesUnder(const PositionAssumption &assumption) const {
  std::string axis = stream.getAxis().str();
  ncd::IntegerRange streamed = assumption.streamed;
  return ncd::IntegerRanges(
      [axis, streamed](Operation *op) -> std::optional<ncd::AxisPositions> {
        std::optional<ncd::AxisPositions> found = ncd::positionsInMap(op);
        if (found && found->axis == axis) {
          found->range.low = std::max(found->range.low, streamed.low);
          found->range.high = std::min(found->range.high, streamed.high);
        }
        return found;
      },
      assumption.distances);
}

/// The value of the body of \p map on \p inputs.
static Abstract mapAbstract(ncd::MapOp map, ArrayRef<Abstract> inputs,
                            ncd::IntegerRanges ranges) {
  DenseMap<Value, Abstract> values;
  Block &body = map.getBody().front();
  for (auto [argument, input] : llvm::zip_equal(body.getArguments(), inputs))
    values[argument] = input;
  for (Operation &op : body.without_terminator()) {
    SmallVector<Abstract> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values.lookup(operand));
    for (Value result : op.getResults()) {
      Abstract value = scalarAbstract(&op, operands);
      if (result.getType().isIntOrIndex()) {
        ncd::IntegerRange range = ranges.rangeOf(result);
        value.range.low = std::max(value.range.low, range.low);
        value.range.high = std::min(value.range.high, range.high);
      }
      values[result] = value;
    }
  }
  return values.lookup(body.getTerminator()->getOperand(0));
}

Abstract NeutralStep::result(Operation *op, Values &values,
                             const PositionAssumption &assumption) const {
  SmallVector<Abstract> operands;
  for (Value operand : op->getOperands()) {
    auto known = values.find(operand);
    // What comes from outside of the stream.
    operands.push_back(known == values.end() ? A::ofClasses(A::Finite)
                                             : known->second);
  }
  if (auto map = dyn_cast<ncd::MapOp>(op))
    return mapAbstract(map, operands, rangesUnder(assumption));
  if (auto reduce = dyn_cast<ncd::ReduceOp>(op))
    return foldAbstract(reduce, operands[0]);
  auto contract = dyn_cast<ncd::ContractOp>(op);
  if (!contract || !isFloat(contract.getResult()))
    return {};
  unsigned factors = contract.getInputs().size();
  Abstract product = operands.front();
  for (const Abstract &operand : ArrayRef(operands).slice(1, factors - 1))
    product = multiplyAbstract(product, operand);
  if (!contract.getOverAxes().empty())
    product = sumAbstract(product);
  return contract.getStart() ? addAbstract(operands[factors], product)
                             : product;
}

void NeutralStep::evaluate(Values &values, const PositionAssumption &assumption,
                           const Classes &limits) const {
  for (auto &[value, classes] : limits)
    if (auto known = values.find(value); known != values.end())
      known->second.classes &= classes;
  evaluateBlock(stream.getStep().front(), values, assumption, limits);
}

void NeutralStep::evaluateBlock(Block &block, Values &values,
                                const PositionAssumption &assumption,
                                const Classes &limits) const {
  auto valueOf = [&](Value value) {
    auto known = values.find(value);
    return known == values.end() ? A::ofClasses(A::Finite) : known->second;
  };
  for (Operation &op : block.without_terminator()) {
    if (auto when = dyn_cast<ncd::WhenOp>(op)) {
      bool never = valueOf(when.getCondition()).range.high == 0;
      if (!never)
        evaluateBlock(when.getBody().front(), values, assumption, limits);
      Operation *yield = when.getBody().front().getTerminator();
      for (auto [index, result] : llvm::enumerate(when.getResults())) {
        values[result] = valueOf(when.getOtherwise()[index]);
        if (!never)
          values[result] =
              joinAbstract(values[result], valueOf(yield->getOperand(index)));
      }
    } else if (op.getNumResults() == 1) {
      values[op.getResult(0)] = result(&op, values, assumption);
    }
    for (Value result : op.getResults())
      if (auto known = limits.find(result); known != limits.end())
        values[result].classes &= known->second;
  }
}

NeutralStep::Values NeutralStep::initial(ArrayRef<uint8_t> state,
                                         uint8_t data) const {
  Values values;
  for (auto [index, argument] : llvm::enumerate(stream.getStepStates())) {
    Abstract value = A::ofClasses(state[index]);
    value.member = int(index);
    values[argument] = value;
  }
  for (BlockArgument chunk : stream.getStepChunks())
    values[chunk] = A::ofClasses(data);
  return values;
}

//===----------------------------------------------------------------------===//
// The induction
//===----------------------------------------------------------------------===//

/// What follows for the operands of maxima and minima from their results.
static void limitOperands(Operation *op, uint8_t classes,
                          llvm::function_ref<void(Value, uint8_t)> limit) {
  bool down = isa<arith::MaximumFOp>(op) && classes == A::MinusInf;
  bool up = isa<arith::MinimumFOp>(op) && classes == A::PlusInf;
  if (auto reduce = dyn_cast<ncd::ReduceOp>(op)) {
    down = reduce.getMonoid() == ncd::Monoid::Max && classes == A::MinusInf;
    up = reduce.getMonoid() == ncd::Monoid::Min && classes == A::PlusInf;
  }
  if (down || up)
    for (Value operand : op->getOperands())
      limit(operand, classes);
}

NeutralStep::Classes NeutralStep::limitsWhere(unsigned member,
                                              uint8_t classes) const {
  Classes limits;
  auto limit = [&](Value value, uint8_t to) {
    limits.try_emplace(value, A::Any).first->second &= to;
  };
  limit(next(member), classes);
  Block &step = stream.getStep().front();
  for (Operation &op : llvm::reverse(step.without_terminator())) {
    if (op.getNumResults() != 1 || !limits.count(op.getResult(0)))
      continue;
    uint8_t known = limits.lookup(op.getResult(0));
    limitOperands(&op, known, limit);
    auto map = dyn_cast<ncd::MapOp>(op);
    if (!map)
      continue;
    Classes inner;
    auto limitInner = [&](Value value, uint8_t to) {
      inner.try_emplace(value, A::Any).first->second &= to;
    };
    Block &body = map.getBody().front();
    limitInner(body.getTerminator()->getOperand(0), known);
    for (Operation &scalar : llvm::reverse(body.without_terminator()))
      if (scalar.getNumResults() == 1 && inner.count(scalar.getResult(0)))
        limitOperands(&scalar, inner.lookup(scalar.getResult(0)), limitInner);
    for (auto [argument, input] :
         llvm::zip_equal(body.getArguments(), map.getInputs()))
      if (auto found = inner.find(argument); found != inner.end())
        limit(input, found->second);
  }
  return limits;
}

void NeutralStep::findClaims() {
  for (unsigned member : split) {
    uint8_t there = begins[member];
    if (there != A::MinusInf && there != A::PlusInf)
      continue;
    SmallVector<uint8_t> claim(members, A::Any);
    for (unsigned other = 0; other < members; ++other)
      claim[other] = other == member ? there : begins[other] | A::NaN;
    // Where the member arrives there it was there before, if anything.
    Classes limits = limitsWhere(member, there);
    auto before = limits.find(stream.getStepStates()[member]);
    bool inductive = before != limits.end() && before->second == there;
    for (bool changed = inductive; changed;) {
      changed = false;
      Values values = initial(claim, A::Any);
      evaluate(values, {}, limits);
      for (unsigned other = 0; other < members; ++other)
        if (claim[other] != A::Any &&
            !values.lookup(next(other)).within(claim[other])) {
          claim[other] = A::Any;
          changed = true;
        }
    }
    if (inductive && claim[member] == there)
      claims[member] = std::move(claim);
  }
}

//===----------------------------------------------------------------------===//
// The question
//===----------------------------------------------------------------------===//

bool NeutralStep::holdsIn(const PositionAssumption &assumption,
                          ArrayRef<uint8_t> state) const {
  // A state that has met a NaN, or an infinity where it does not begin, gives
  // NaN one way or the other.
  bool spoilt = llvm::any_of(split, [&](unsigned member) {
    return state[member] == A::NaN ||
           ((state[member] & (A::MinusInf | A::PlusInf)) &&
            state[member] != begins[member]);
  });
  Values values = initial(state, A::Finite);
  evaluate(values, assumption, Classes());
  for (unsigned member = 0; member < members; ++member) {
    Abstract after = values.lookup(next(member));
    if (after.member == int(member) || (spoilt && after.within(A::NaN)))
      continue;
    // One infinity, or 0: the same as before. A NaN that was there stays, as
    // nothing but comparisons takes it away.
    uint8_t before = state[member];
    bool same = (before == A::MinusInf || before == A::PlusInf) &&
                after.classes == before;
    constexpr uint8_t zeroOrNaN = A::Zero | A::NaN;
    same |= (before & ~zeroOrNaN) == 0 && (after.classes & A::Zero) &&
            after.within(before);
    if (!same)
      return false;
  }
  return true;
}

bool NeutralStep::holds(const PositionAssumption &assumption) const {
  if (split.size() > mostSplit)
    return false;
  constexpr uint8_t cases[] = {A::MinusInf, A::Finite, A::PlusInf, A::NaN};
  unsigned count = 1u << (2 * split.size());
  for (unsigned number = 0; number < count; ++number) {
    SmallVector<uint8_t> state(members, A::Any);
    for (auto [place, member] : llvm::enumerate(split))
      state[member] = cases[(number >> (2 * place)) & 3];
    bool reachable = true;
    for (unsigned member : split) {
      auto claim = claims.find(member);
      if (claim == claims.end() || state[member] != begins[member])
        continue;
      for (unsigned other = 0; other < members; ++other)
        reachable &= (state[other] &= claim->second[other]) != 0;
    }
    if (reachable && !holdsIn(assumption, state))
      return false;
  }
  return true;
}

unsigned NeutralStep::decided(const PositionAssumption &assumption) const {
  ncd::IntegerRanges ranges = rangesUnder(assumption);
  unsigned count = 0;
  stream.getStep().walk([&](arith::CmpIOp compare) {
    ncd::IntegerRange outcome = ranges.rangeOf(compare.getResult());
    count += outcome.low == outcome.high;
  });
  return count;
}
