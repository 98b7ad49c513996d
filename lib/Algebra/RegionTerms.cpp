//===- RegionTerms.cpp - Terms of a region of ncd operations ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See RegionTerms.h.
//
//===----------------------------------------------------------------------===//

#include "RegionTerms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "napkin/Algebra/AlgebraicLaws.h"
#include "napkin/Algebra/NormalForm.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace napkin::algebra {

std::string valueName(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return "";
  Operation *parent = argument.getOwner()->getParentOp();
  if (auto kernel = dyn_cast_or_null<ncd::KernelOp>(parent))
    return valueName(kernel.getInputs()[argument.getArgNumber()]);
  if (auto diagram = dyn_cast_or_null<ncd::DiagramOp>(parent))
    return diagram.getArgumentName(argument.getArgNumber());
  return "";
}

/// log2 of the largest magnitude that a storage type holds, if that is a bound
/// worth having.
static std::optional<double> storageBound(Type type) {
  return TypeSwitch<Type, std::optional<double>>(type)
      .Case<Float16Type>([](Type) { return 65504.0; })
      .Case<Float8E4M3FNType>([](Type) { return 448.0; })
      .Case<Float8E5M2Type>([](Type) { return 57344.0; })
      .Case<IntegerType>([](IntegerType t) -> std::optional<double> {
        if (t.getWidth() > 32)
          return std::nullopt;
        return t.getWidth() == 1 ? 1.0 : std::exp2(t.getWidth() - 1.0);
      })
      .Default([](Type) { return std::nullopt; });
}

bool RegionTerms::numberAxes(StreamingRefusal &why) {
  auto see = [&](Type type) {
    auto array = dyn_cast<ncd::ArrayType>(type);
    if (!array)
      return true;
    for (auto [name, size] : llvm::zip(array.getAxes(), array.getSizes())) {
      // One number stays free for the survivors of a top-k.
      if (context.getNumAxes() + 1 >= kMaxAxes)
        return false;
      context.axis(name.getValue(), ShapedType::isDynamic(size) ? 0 : size);
    }
    return true;
  };
  bool fits = true;
  for (Value output : outputs)
    fits &= see(output.getType());
  for (Operation *op : ops)
    for (Type type : op->getResultTypes())
      fits &= see(type);
  for (Operation *op : ops)
    for (Type type : op->getOperandTypes())
      fits &= see(type);
  if (!fits)
    why.message = "axis " + axisName + ": more than " +
                  std::to_string(kMaxAxes - 1) +
                  " axes in one region; split the kernel";
  axis = context.axis(axisName);
  for (StringAttr name : innerNames)
    if (context.getNumAxes() + 1 < kMaxAxes)
      innerAxes |= axisBit(context.axis(name.getValue()));
  return fits;
}

Expr RegionTerms::inputTerm(Value value) {
  auto type = cast<ncd::ArrayType>(value.getType());
  AxisSet axes = 0;
  for (StringAttr name : type.getAxes())
    axes |= axisBit(context.axis(name.getValue()));
  std::string name = valueName(value);
  if (name.empty())
    name = "v" + std::to_string(inputs.size());
  while (inputNames.contains(name))
    name += "_";
  Type element = type.getElementType();
  double low = -kInfinity, high = kInfinity;
  if (std::optional<double> bound = storageBound(element)) {
    low = element.isInteger(1) ? 0 : -*bound;
    high = *bound;
  }
  Expr term = context.input(name, axes, low, high, storageRounding(element));
  inputNames.insert(term->name);
  inputs[term] = value;
  if (element.isF64())
    working = element;
  return term;
}

Expr RegionTerms::reduceOver(Monoid monoid, Expr body,
                             ArrayRef<StringAttr> over, unsigned number,
                             double identity) {
  // The streamed axis outermost: partial sums over the others are x-parts. In
  // one order, so that it does not matter how the source lists them.
  AxisSet axes = 0;
  for (StringAttr name : over)
    axes |= axisBit(context.axis(name.getValue()));
  bool streamed = axes & axisBit(axis);
  axes &= ~axisBit(axis);
  for (unsigned i = 0; i < context.getNumAxes(); ++i)
    if (axes >> i & 1)
      body = context.reduce(monoid, i, body, number, identity);
  return streamed ? context.reduce(monoid, axis, body, number, identity) : body;
}

static Expr stored(ExprContext &context, Expr e, Type element) {
  std::optional<Rounding> rounding = storageRounding(element);
  return rounding ? context.round(e, *rounding) : e;
}

Expr RegionTerms::readContract(ncd::ContractOp contract) {
  Expr product = nullptr;
  for (Value input : contract.getInputs()) {
    Expr factor = terms.lookup(input);
    product = product ? context.mul(product, factor) : factor;
  }
  Expr sum = reduceOver(Monoid::Sum, product, contract.getOverAxes());
  if (contract.getStart())
    sum = context.add(terms.lookup(contract.getStart()), sum);
  return stored(context, sum, contract.getArrayType().getElementType());
}

/// The monoid of a region whose one operation combines the two arguments. One
/// that drops NaN, as maxnumf does, is known by its region only.
static Monoid monoidOf(Region &region) {
  Block &body = region.front();
  if (!llvm::hasNItems(body, 2))
    return Monoid::Other;
  Operation *op = &body.front();
  if (op->getNumOperands() != 2 ||
      body.getTerminator()->getOperand(0) != op->getResult(0) ||
      op->getOperand(0) == op->getOperand(1) ||
      !llvm::all_of(op->getOperands(), llvm::IsaPred<BlockArgument>))
    return Monoid::Other;
  return TypeSwitch<Operation *, Monoid>(op)
      .Case<arith::AddFOp, arith::AddIOp>(
          [](Operation *) { return Monoid::Sum; })
      .Case<arith::MulFOp, arith::MulIOp>(
          [](Operation *) { return Monoid::Prod; })
      .Case<arith::MaximumFOp, arith::MaxSIOp>(
          [](Operation *) { return Monoid::Max; })
      .Case<arith::MinimumFOp, arith::MinSIOp>(
          [](Operation *) { return Monoid::Min; })
      .Default([](Operation *) { return Monoid::Other; });
}

Expr RegionTerms::readReduce(ncd::ReduceOp reduce) {
  Monoid monoid = Monoid::Other;
  if (std::optional<ncd::Monoid> named = reduce.getMonoid()) {
    switch (*named) {
    case ncd::Monoid::Sum:
      monoid = Monoid::Sum;
      break;
    case ncd::Monoid::Prod:
      monoid = Monoid::Prod;
      break;
    case ncd::Monoid::Max:
      monoid = Monoid::Max;
      break;
    case ncd::Monoid::Min:
      monoid = Monoid::Min;
      break;
    case ncd::Monoid::And:
      monoid = Monoid::And;
      break;
    case ncd::Monoid::Or:
      monoid = Monoid::Or;
      break;
    }
  } else {
    monoid = monoidOf(reduce.getCombiner());
  }
  unsigned number = 0;
  double identity = 0;
  if (monoid == Monoid::Other) {
    combiners.push_back(&reduce.getCombiner());
    number = combiners.size();
    if (auto attribute = dyn_cast<FloatAttr>(reduce.getIdentityValue()))
      identity = attribute.getValueAsDouble();
  }
  Expr value = reduceOver(monoid, terms.lookup(reduce.getInput()),
                          reduce.getOverAxes(), number, identity);
  return stored(context, value, reduce.getArrayType().getElementType());
}

Expr RegionTerms::readMap(ncd::MapOp map) {
  DenseMap<Value, Expr> scalars;
  Block &body = map.getBody().front();
  for (auto [argument, input] : llvm::zip(body.getArguments(), map.getInputs()))
    scalars[argument] = terms.lookup(input);
  for (Operation &op : body.without_terminator()) {
    Expr term = nullptr;
    if (auto index = dyn_cast<ncd::IndexOp>(op)) {
      term = context.index(context.axis(index.getAxis()));
    } else {
      if (op.getNumResults() != 1 || op.getNumRegions() != 0)
        return nullptr;
      SmallVector<Expr, 3> operands;
      for (Value operand : op.getOperands())
        operands.push_back(scalars.lookup(operand));
      term = algebra::termOf(&op, context, operands);
      if (term->kind == Kind::Call)
        callees.try_emplace(term->name, &op);
    }
    origins.try_emplace(term, map);
    scalars[op.getResult(0)] = term;
  }
  return scalars.lookup(map.getYielded());
}

/// Whether what `operand` holds occurs in the term.
bool RegionTerms::readsOnly(Value operand, Expr term) const {
  Expr read = terms.lookup(operand);
  return anyNode(term, [&](Expr n) { return n == read; });
}

bool RegionTerms::readOperation(Operation *op, StreamingRefusal &why) {
  for (Value operand : op->getOperands())
    if (!terms.count(operand)) {
      if (!isa<ncd::ArrayType>(operand.getType())) {
        why.message = "axis " + axisName + ": operand of type other than array";
        why.location = op->getLoc();
        return false;
      }
      terms[operand] = inputTerm(operand);
    }
  Expr term = TypeSwitch<Operation *, Expr>(op)
                  .Case([&](ncd::ContractOp c) { return readContract(c); })
                  .Case([&](ncd::ReduceOp r) { return readReduce(r); })
                  .Case([&](ncd::MapOp m) { return readMap(m); })
                  .Default([](Operation *) { return nullptr; });
  if (!term) {
    why.message =
        "axis " + axisName + ": " +
        (isa<ncd::MapOp>(op)
             ? "the map holds an operation with regions or several results, "
               "which is not a scalar term"
             : "no terms are known for '" + op->getName().getStringRef().str() +
                   "'; only contract, map and reduce can be streamed (run "
                   "ncd-decompose first)");
    why.location = op->getLoc();
    return false;
  }
  Value result = op->getResult(0);
  terms[result] = term;
  for (Expr e = term; e; e = e->kind == Kind::Round || e->kind == Kind::Reduce
                                 ? e->operand(0)
                                 : nullptr)
    origins.try_emplace(e, op);
  AxisSet axes = 0;
  for (StringAttr name : cast<ncd::ArrayType>(result.getType()).getAxes())
    axes |= axisBit(context.axis(name.getValue()));
  if (llvm::all_of(op->getOperands(), [&](Value operand) {
        return readsOnly(operand, term) && isRepeatable(operand);
      }))
    repeatable.insert(result);
  if (axes == term->axes && !inputs.count(term) && repeatable.contains(result))
    written.try_emplace(term, result);
  return true;
}

bool RegionTerms::isInvariant(Expr e) const {
  if (auto found = invariants.find(e); found != invariants.end())
    return found->second;
  bool result =
      !carries(e, axis) && e->kind != Kind::State &&
      !(e->kind == Kind::Reduce && e->axis == axis) &&
      llvm::all_of(e->operands, [&](Expr o) { return isInvariant(o); });
  invariants[e] = result;
  return result;
}

bool RegionTerms::reducesAxis(Operation *op) const {
  if (auto contract = dyn_cast<ncd::ContractOp>(op))
    return contract.isOver(axisName);
  if (auto reduce = dyn_cast<ncd::ReduceOp>(op))
    return reduce.isOver(axisName);
  return false;
}

/// Walks from the outputs through operations that only read results.
bool RegionTerms::findResults(StreamingRefusal &why) {
  SetVector<Operation *> reached;
  auto visit = [&](auto &self, Value value) -> bool {
    if (!isInside(value) || isInvariant(terms.lookup(value)))
      return true;
    Operation *op = value.getDefiningOp();
    if (reducesAxis(op)) {
      results.insert(value);
      return true;
    }
    if (cast<ncd::ArrayType>(value.getType()).hasAxis(axisName)) {
      why.message = "axis " + axisName +
                    ": append family: a result repeats a reduction over " +
                    axisName + " along " + axisName +
                    "; keep the axis whole or split the kernel before it";
      why.location = op->getLoc();
      return false;
    }
    if (reached.contains(op))
      return true;
    for (Value operand : op->getOperands())
      if (readsOnly(operand, terms.lookup(value)) && !self(self, operand))
        return false;
    reached.insert(op);
    return true;
  };
  for (Value output : outputs) {
    if (cast<ncd::ArrayType>(output.getType()).hasAxis(axisName)) {
      why.message = "axis " + axisName + ": append family: an output carries " +
                    axisName +
                    "; one pass yields a bounded state, not an array along " +
                    axisName + ": keep the axis whole or split the kernel";
      if (Operation *op = output.getDefiningOp())
        why.location = op->getLoc();
      return false;
    }
    if (!visit(visit, output))
      return false;
  }
  for (Operation *op : ops)
    if (reached.contains(op))
      epilogue.insert(op);
  return true;
}

/// Reductions that depend on the reference may add up to an output that does
/// not: the stream then gives the outputs, and nothing is left behind it.
void RegionTerms::takeOutputsAsResults(const PlanOptions &options) {
  SmallVector<Expr, 2> roots;
  SetVector<Value> whole;
  for (Value output : outputs) {
    roots.push_back(terms.lookup(output));
    if (!isInside(output) || isInvariant(terms.lookup(output)))
      continue;
    if (!isa<Float32Type, Float16Type, BFloat16Type>(
            cast<ncd::ArrayType>(output.getType()).getElementType()))
      return;
    whole.insert(output);
  }
  PlanRefusal refusal;
  std::optional<StreamPlan> derived =
      deriveStreamPlan(context, roots, axis, options, refusal);
  if (!derived || !derived->lazy)
    return;
  plan = std::move(*derived);
  results = std::move(whole);
  epilogue.clear();
}

void RegionTerms::locate(const PlanRefusal &refusal, StreamingRefusal &why) {
  why.message = refusal.message;
  auto origin = [&](Expr e) -> std::optional<Location> {
    if (auto found = origins.find(e); found != origins.end())
      return found->second->getLoc();
    return std::nullopt;
  };
  if (refusal.reduction)
    why.location = origin(refusal.reduction);
  if (refusal.expr)
    why.expressionLocation = origin(refusal.expr);
  if (!why.location)
    why.location = why.expressionLocation;
}

/// The integer type in which \p op sums products of integers, or null where it
/// does anything else. Such sums are exact modulo a power of two, so that all
/// laws of a ring hold for them as they do for numbers.
static Type sumOfIntegers(Operation *op) {
  auto contract = dyn_cast<ncd::ContractOp>(op);
  auto reduce = dyn_cast<ncd::ReduceOp>(op);
  if (reduce && reduce.getMonoid() != ncd::Monoid::Sum)
    return {};
  Type type = contract ? contract.getArrayType().getElementType()
              : reduce ? reduce.getArrayType().getElementType()
                       : Type();
  if (auto map = dyn_cast<ncd::MapOp>(op);
      map &&
      llvm::all_of(map.getBody().front().without_terminator(),
                   llvm::IsaPred<arith::AddIOp, arith::MulIOp, arith::ExtSIOp>))
    type = cast<ncd::ArrayType>(map.getResult().getType()).getElementType();
  return type && (type.isInteger(32) || type.isInteger(64)) ? type : Type();
}

bool RegionTerms::derive(const StreamingOptions &options,
                         StreamingRefusal &why) {
  if (outputs.empty()) {
    why.message = "axis " + axisName + ": the region has no output";
    return false;
  }
  working = Float32Type::get(mlirContext());
  SmallVector<Type> sums = llvm::map_to_vector(ops, sumOfIntegers);
  if (!sums.empty() && sums.front() && llvm::all_equal(sums))
    working = sums.front();
  inside.insert(ops.begin(), ops.end());
  if (!numberAxes(why))
    return false;
  for (Operation *op : ops)
    if (!readOperation(op, why))
      return false;
  for (Value output : outputs)
    if (!terms.count(output))
      terms[output] = inputTerm(output);
  // Results count as outputs: an operation after the loop may read one whose
  // value cancels in what it computes.
  StreamingRefusal noResults;
  bool hasResults = findResults(noResults);
  SmallVector<Expr, 2> roots;
  for (Value output : outputs)
    roots.push_back(terms.lookup(output));
  for (Value result : results)
    roots.push_back(terms.lookup(result));
  PlanOptions planOptions;
  planOptions.inputBoundLog2 = options.inputBoundLog2;
  planOptions.lazyReferences = options.lazyReferences;
  planOptions.narrowResults = llvm::all_of(outputs, [](Value output) {
    Type element = cast<ncd::ArrayType>(output.getType()).getElementType();
    return isa<FloatType>(element) && element.getIntOrFloatBitWidth() <= 16;
  });
  PlanRefusal refusal;
  std::optional<StreamPlan> derived =
      deriveStreamPlan(context, roots, axis, planOptions, refusal);
  if (!derived) {
    locate(refusal, why);
    return false;
  }
  plan = std::move(*derived);
  if (options.lazyReferences && hasResults && !plan.lazy)
    takeOutputsAsResults(planOptions);
  if (!hasResults) {
    why = noResults;
    return false;
  }
  if (results.empty()) {
    why.message = "axis " + axisName +
                  ": no output reduces over it, so there is nothing to stream";
    if (Operation *op = outputs.front().getDefiningOp())
      why.location = op->getLoc();
    return false;
  }
  return true;
}

ncd::ArrayType RegionTerms::arrayType(AxisSet axes, Type element) const {
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes;
  for (unsigned i = 0; i < context.getNumAxes(); ++i)
    if (axes >> i & 1) {
      names.push_back(StringAttr::get(mlirContext(), context.axisName(i)));
      int64_t size = context.axisSize(i);
      sizes.push_back(size > 0 ? size : ShapedType::kDynamic);
    }
  return ncd::ArrayType::get(mlirContext(), names, sizes, element);
}

} // namespace napkin::algebra
