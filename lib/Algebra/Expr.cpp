//===- Expr.cpp - Uniqued scalar expressions over named axes ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Uniquing, the few folds that keep terms readable, and printing.
//
//===----------------------------------------------------------------------===//

#include "napkin/Algebra/Expr.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <cassert>
#include <fmt/format.h>
#include <new>

using namespace llvm;

namespace napkin::algebra {

bool isRelative(Rounding rounding) {
  // f16 and the f8 formats lose subnormals long before f32 does, but a gauged
  // element lies in [0, 1] times its cofactors, where their relative error
  // holds down to 2^-14 and below that is absolute and tiny.
  return rounding == Rounding::BF16 || rounding == Rounding::TF32 ||
         rounding == Rounding::F16;
}

StringRef stringify(Rounding rounding) {
  static constexpr StringRef names[] = {"bf16",     "f16",    "tf32",
                                        "f8E4M3FN", "f8E5M2", "grid"};
  return names[unsigned(rounding)];
}

StringRef stringify(Monoid monoid) {
  static constexpr StringRef names[] = {"sum", "prod",   "max",  "min",   "and",
                                        "or",  "argmax", "topk", "region"};
  return names[unsigned(monoid)];
}

void ExprNode::Profile(FoldingSetNodeID &profile) const {
  profile.AddInteger(unsigned(kind) | unsigned(monoid) << 8 |
                     unsigned(comparison) << 16 | unsigned(rounding) << 24);
  profile.AddInteger(axis);
  profile.AddInteger(number);
  profile.AddInteger(variant);
  profile.AddInteger(llvm::bit_cast<uint64_t>(value));
  profile.AddInteger(llvm::bit_cast<uint64_t>(high));
  profile.AddInteger(axes);
  profile.AddString(name);
  for (Expr operand : operands)
    profile.AddPointer(operand);
}

unsigned ExprContext::axis(StringRef name, int64_t size) {
  for (auto [i, known] : enumerate(axisNames))
    if (known == name) {
      if (size > 0)
        axisSizes[i] = size;
      return i;
    }
  assert(axisNames.size() < kMaxAxes && "callers count axes first");
  axisNames.push_back(name.str());
  axisSizes.push_back(size);
  return axisNames.size() - 1;
}

Expr ExprContext::unique(const ExprNode &prototype) {
  FoldingSetNodeID profile;
  prototype.Profile(profile);
  void *position = nullptr;
  if (ExprNode *found = nodes.FindNodeOrInsertPos(profile, position))
    return found;
  auto *node = new (allocator.Allocate<ExprNode>()) ExprNode(prototype);
  node->id = numNodes++;
  node->name = prototype.name.copy(allocator);
  node->operands = ArrayRef<Expr>(prototype.operands).copy(allocator);
  nodes.InsertNode(node, position);
  return node;
}

static ExprNode prototype(Kind kind, ArrayRef<Expr> operands = {}) {
  ExprNode node;
  node.kind = kind;
  node.operands = operands;
  for (Expr operand : operands)
    node.axes |= operand->axes;
  return node;
}

Expr ExprContext::constant(double value) {
  ExprNode node = prototype(Kind::Constant);
  node.value = value == 0 ? 0 : value; // one zero
  return unique(node);
}

Expr ExprContext::input(StringRef name, AxisSet axes, double low, double high,
                        std::optional<Rounding> stored) {
  ExprNode node = prototype(Kind::Input);
  if (stored) {
    node.rounding = *stored;
    node.variant = 1;
  }
  node.name = name;
  node.axes = axes;
  node.value = low;
  node.high = high;
  return unique(node);
}

Expr ExprContext::index(unsigned axis) {
  ExprNode node = prototype(Kind::Index);
  node.axis = axis;
  node.axes = axisBit(axis);
  return unique(node);
}

Expr ExprContext::size(unsigned axis) {
  if (axisSizes[axis] > 0)
    return constant(axisSizes[axis]);
  ExprNode node = prototype(Kind::Size);
  node.axis = axis;
  return unique(node);
}

Expr ExprContext::state(unsigned number, AxisSet axes, unsigned variant) {
  ExprNode node = prototype(Kind::State);
  node.number = number;
  node.axes = axes;
  node.variant = variant;
  return unique(node);
}

Expr ExprContext::reference(Expr of, AxisSet shared) {
  ExprNode node = prototype(Kind::Reference, of);
  node.axes &= ~shared;
  return unique(node);
}

Expr ExprContext::make(Kind kind, ArrayRef<Expr> operands) {
  Expr a = operands[0], b = operands.size() > 1 ? operands[1] : nullptr;
  bool constants = a->isConstant() && (!b || b->isConstant());
  switch (kind) {
  case Kind::Add:
    if (a->isConstant(0))
      return b;
    if (b->isConstant(0))
      return a;
    if (constants)
      return constant(a->value + b->value);
    break;
  case Kind::Sub:
    if (b->isConstant(0))
      return a;
    if (constants)
      return constant(a->value - b->value);
    break;
  case Kind::Mul:
    if (a->isConstant(1))
      return b;
    if (b->isConstant(1))
      return a;
    if (constants)
      return constant(a->value * b->value);
    break;
  case Kind::Div:
    if (b->isConstant(1))
      return a;
    if (constants && b->value != 0)
      return constant(a->value / b->value);
    break;
  case Kind::Neg:
    if (constants)
      return constant(-a->value);
    break;
  case Kind::Max:
  case Kind::Min:
    if (a == b)
      return a;
    break;
  case Kind::Guard:
    if (constants)
      return a->isMinusInfinity() ? constant(0) : a;
    if (a->kind == Kind::Guard)
      return a;
    break;
  case Kind::Exp:
    if (a->isConstant(0))
      return constant(1);
    break;
  case Kind::Exp2:
    if (a->isConstant(0))
      return constant(1);
    break;
  default:
    break;
  }
  return unique(prototype(kind, operands));
}

Expr ExprContext::power(Expr base, double exponent) {
  if (exponent == 1)
    return base;
  ExprNode node = prototype(Kind::Power, base);
  node.value = exponent;
  return unique(node);
}

Expr ExprContext::compare(Comparison comparison, Expr a, Expr b) {
  Expr operands[] = {a, b};
  ExprNode node = prototype(Kind::Compare, operands);
  node.comparison = comparison;
  return unique(node);
}

/// The operand of a comparison of something with -inf, and whether the
/// comparison holds when it is greater.
static Expr comparedWithMinusInfinity(Expr condition, bool &whenGreater) {
  if (condition->kind != Kind::Compare)
    return nullptr;
  bool right = condition->operand(1)->isMinusInfinity();
  if (!right && !condition->operand(0)->isMinusInfinity())
    return nullptr;
  switch (condition->comparison) {
  case Comparison::NE:
    whenGreater = true;
    break;
  case Comparison::EQ:
    whenGreater = false;
    break;
  case Comparison::GT:
    if (!right)
      return nullptr;
    whenGreater = true;
    break;
  case Comparison::LT:
    if (right)
      return nullptr;
    whenGreater = true;
    break;
  case Comparison::LE:
    if (!right)
      return nullptr;
    whenGreater = false;
    break;
  case Comparison::GE:
    if (right)
      return nullptr;
    whenGreater = false;
    break;
  }
  return condition->operand(right ? 0 : 1);
}

Expr ExprContext::select(Expr condition, Expr a, Expr b) {
  if (a == b)
    return a;
  if (condition->isConstant())
    return condition->value != 0 ? a : b;
  bool whenGreater = false;
  if (Expr r = comparedWithMinusInfinity(condition, whenGreater)) {
    Expr kept = whenGreater ? a : b, other = whenGreater ? b : a;
    if (kept == r && other->isConstant(0))
      return guard(r);
  }
  Expr operands[] = {condition, a, b};
  return unique(prototype(Kind::Select, operands));
}

bool isRounded(Expr e, Rounding rounding) {
  auto all = [&](ArrayRef<Expr> operands) {
    return llvm::all_of(operands,
                        [&](Expr o) { return isRounded(o, rounding); });
  };
  switch (e->kind) {
  case Kind::Constant:
    return e->value == 0 || std::fabs(e->value) == 1 || std::isinf(e->value);
  case Kind::Round:
    return e->rounding == rounding;
  case Kind::Input:
    return e->variant == 1 && e->rounding == rounding;
  case Kind::Neg:
  case Kind::Abs:
  case Kind::Guard:
  case Kind::Max:
  case Kind::Min:
    return all(e->operands);
  case Kind::Select:
    return all(e->operands.drop_front());
  case Kind::Reduce:
    return (e->monoid == Monoid::Max || e->monoid == Monoid::Min) &&
           all(e->operands);
  default:
    return false;
  }
}

Expr ExprContext::round(Expr a, Rounding rounding) {
  if (isRounded(a, rounding))
    return a;
  ExprNode node = prototype(Kind::Round, a);
  node.rounding = rounding;
  return unique(node);
}

Expr ExprContext::call(StringRef name, ArrayRef<Expr> operands, CallLaws laws) {
  ExprNode node = prototype(Kind::Call, operands);
  node.name = name;
  node.laws = laws;
  return unique(node);
}

Expr ExprContext::reduce(Monoid monoid, unsigned axis, Expr body, unsigned k,
                         double identity) {
  unsigned survivors = monoid == Monoid::TopK ? survivorAxis() : 0;
  ExprNode node = prototype(Kind::Reduce, body);
  node.monoid = monoid;
  node.axis = axis;
  node.number = k;
  node.value = identity;
  node.axes &= ~axisBit(axis);
  if (monoid == Monoid::TopK)
    node.axes |= axisBit(survivors);
  return unique(node);
}

Expr ExprContext::combine(Monoid monoid, Expr a, Expr b, unsigned k) {
  Expr operands[] = {a, b};
  ExprNode node = prototype(Kind::Combine, operands);
  node.monoid = monoid;
  node.number = k;
  return unique(node);
}

Expr ExprContext::rebuild(Expr node, ArrayRef<Expr> operands) {
  switch (node->kind) {
  case Kind::Power:
    return power(operands[0], node->value);
  case Kind::Compare:
    return compare(node->comparison, operands[0], operands[1]);
  case Kind::Select:
    return select(operands[0], operands[1], operands[2]);
  case Kind::Round:
    return round(operands[0], node->rounding);
  case Kind::Call:
    return call(node->name, operands, node->laws);
  case Kind::Reduce:
    return reduce(node->monoid, node->axis, operands[0], node->number,
                  node->value);
  case Kind::Combine:
    return combine(node->monoid, operands[0], operands[1], node->number);
  case Kind::Reference: {
    ExprNode copy = *node;
    copy.operands = operands;
    return unique(copy);
  }
  default:
    return operands.empty() ? node : make(node->kind, operands);
  }
}

Expr ExprContext::substitute(Expr root, DenseMap<Expr, Expr> &replacements) {
  if (auto found = replacements.find(root); found != replacements.end())
    return found->second;
  SmallVector<Expr, 3> operands;
  for (Expr operand : root->operands)
    operands.push_back(substitute(operand, replacements));
  Expr result = ArrayRef<Expr>(operands) == root->operands
                    ? root
                    : rebuild(root, operands);
  replacements[root] = result;
  return result;
}

std::string printNumber(double value) { return fmt::format("{:.6g}", value); }

namespace {
struct Printer {
  const ExprContext &context;
  const NameMap *names;
  /// Characters left: a term is a graph, and its text can be far larger.
  int budget = 1500;

  std::string axis(unsigned i) { return context.axisName(i).str(); }
  std::string operator()(Expr e) {
    if (names)
      if (auto found = names->find(e); found != names->end())
        return found->second;
    if (budget < 0)
      return "...";
    std::string text = spell(e);
    if (e->operands.empty())
      budget -= text.size();
    budget -= 3;
    return text;
  }
  std::string binary(Expr e, const char *sign) {
    return "(" + (*this)(e->operand(0)) + sign + (*this)(e->operand(1)) + ")";
  }
  std::string function(StringRef name, Expr e) {
    std::string text = name.str() + "(";
    for (auto [i, operand] : enumerate(e->operands))
      text += (i ? ", " : "") + (*this)(operand);
    return text + ")";
  }
  std::string spell(Expr e) {
    static constexpr const char *signs[] = {" < ",  " <= ", " > ",
                                            " >= ", " == ", " != "};
    switch (e->kind) {
    case Kind::Constant:
      return printNumber(e->value);
    case Kind::Input:
      return e->name.str();
    case Kind::Index:
      return "#" + axis(e->axis);
    case Kind::Size:
      return "|" + axis(e->axis) + "|";
    case Kind::State:
      return "a" + std::to_string(e->number) + std::string(e->variant, '\'');
    case Kind::Reference:
      return "ref(" + (*this)(e->operand(0)) + ")";
    case Kind::Shifted:
      return "(" + (*this)(e->operand(0)) + "-ref)";
    case Kind::Add:
      return binary(e, "+");
    case Kind::Sub:
      return binary(e, "-");
    case Kind::Mul:
      return binary(e, "*");
    case Kind::Div:
      return binary(e, "/");
    case Kind::Neg:
      return "-" + (*this)(e->operand(0));
    case Kind::Exp:
      return function("exp", e);
    case Kind::Exp2:
      return function("exp2", e);
    case Kind::Log:
      return function("log", e);
    case Kind::Sqrt:
      return function("sqrt", e);
    case Kind::Rsqrt:
      return function("rsqrt", e);
    case Kind::Abs:
      return function("abs", e);
    case Kind::Fma:
      return function("fma", e);
    case Kind::Power:
      return (*this)(e->operand(0)) + "^" + printNumber(e->value);
    case Kind::PowerBy:
      return binary(e, "^");
    case Kind::Max:
      return function("max", e);
    case Kind::Min:
      return function("min", e);
    case Kind::Compare:
      return binary(e, signs[unsigned(e->comparison)]);
    case Kind::Select:
      return function("select", e);
    case Kind::Not:
      return function("not", e);
    case Kind::Guard:
      return function("finite", e);
    case Kind::Round:
      return function(stringify(e->rounding), e);
    case Kind::Call:
      return function(e->name, e);
    case Kind::Combine:
      return function(stringify(e->monoid), e);
    case Kind::Reduce:
      return stringify(e->monoid).str() +
             (e->number ? std::to_string(e->number) : "") + "_" +
             axis(e->axis) + " " + (*this)(e->operand(0));
    }
    return {};
  }
};
} // namespace

std::string print(const ExprContext &context, Expr e, const NameMap *names,
                  bool spellRoot) {
  Printer printer{context, names};
  return spellRoot ? printer.spell(e) : printer(e);
}

} // namespace napkin::algebra
