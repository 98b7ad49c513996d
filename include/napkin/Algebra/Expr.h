//===- Expr.h - Uniqued scalar expressions over named axes ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The terms on which the streaming algebra computes. An expression denotes one
// real number for every position of the axes it carries, so an array and an
// element of it are the same thing here. Nodes are immutable and uniqued in an
// arena: equality is pointer equality, which is what sharing of accumulators
// and "is this the gauge's own maximum" rest on.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_ALGEBRA_EXPR_H
#define NAPKIN_ALGEBRA_EXPR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/FoldingSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Allocator.h"
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace napkin::algebra {

/// A set of axes of one ExprContext, bit i for the axis numbered i.
using AxisSet = uint64_t;
/// The most axes that one context can number.
constexpr unsigned kMaxAxes = 64;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

enum class Kind : uint8_t {
  Constant,  // value
  Input,     // an array from outside, [low, high]
  Index,     // position along `axis`
  Size,      // number of positions of `axis`
  State,     // accumulator `number` of the stream; `variant` tells two apart
  Reference, // the point that differences of operand 0 are taken from
  Shifted,   // operand 0 minus the Reference that is operand 1
  Add,
  Sub,
  Mul,
  Div,
  Neg,
  Exp,
  Exp2,
  Log,
  Sqrt,
  Rsqrt,
  Abs,
  Fma,     // operand 0 * operand 1 + operand 2, rounded once
  Power,   // operand 0 to the constant `value`
  PowerBy, // operand 0 to operand 1, an integer
  Max,
  Min,
  Compare, // `comparison` of two operands: 1 or 0
  Select,  // operand 0 != 0 ? operand 1 : operand 2
  Not,     // 1 - operand 0, on conditions
  Guard,   // operand 0, or 0 where that is -infinity
  Round,   // operand 0 rounded as `rounding` says
  Call,    // a function known by its laws alone
  Reduce,  // `monoid` over `axis`
  Combine, // two partial results of `monoid`, for those without an operator
};

enum class Comparison : uint8_t { LT, LE, GT, GE, EQ, NE };

/// How a rounding relates to scaling. Relative: homogeneous up to the format's
/// epsilon, so it may act on a rescaled value. Grid: to fixed absolute steps.
enum class Rounding : uint8_t { BF16, F16, TF32, F8E4M3, F8E5M2, Grid };
/// True for a format wide enough in exponent that rounding commutes with
/// scaling up to its epsilon.
bool isRelative(Rounding rounding);
/// The name of the rounding in printed terms.
llvm::StringRef stringify(Rounding rounding);

/// The reductions. `Other` with a number is a monoid of which only that is
/// known (a region); without one it has no merge at all (a median).
enum class Monoid : uint8_t {
  Sum,
  Prod,
  Max,
  Min,
  And,
  Or,
  ArgMax,
  TopK,
  Other
};
/// The name of the reduction in printed terms.
llvm::StringRef stringify(Monoid monoid);

/// What is known of a function that has no kind of its own; `monotone` and
/// `strict` count only with one operand.
struct CallLaws {
  /// +1 never decreasing, -1 never increasing, 0 neither, in its operand.
  int monotone = 0;
  /// Monotone without plateaus, so that an argmax survives it.
  bool strict = false;
  /// Values it can take.
  double low = -kInfinity, high = kInfinity;
  /// True when the result is a whole number (an index computation).
  bool integral = false;
};

/// Expressions are passed as pointers; their ExprContext owns the nodes.
class ExprNode;
using Expr = const ExprNode *;

/// One node; made by ExprContext only. Fields that a kind does not use are 0.
class ExprNode : public llvm::FoldingSetNode {
public:
  Kind kind;
  Monoid monoid = Monoid::Sum;
  Comparison comparison = Comparison::LT;
  Rounding rounding = Rounding::BF16;
  /// Creation order; the order of every deterministic sort.
  unsigned id = 0;
  /// Axis of Index, Size and Reduce.
  unsigned axis = 0;
  /// Accumulator of a State, k of a TopK, number of an Other.
  unsigned number = 0;
  /// Which of several states of the same accumulator (0 old or left, 1 right);
  /// of an Input 1 when it is `stored` with `rounding`.
  unsigned variant = 0;
  /// Constant, exponent of Power, bounds of an Input (low; high below),
  /// identity of an Other.
  double value = 0, high = 0;
  /// Axes that the value carries.
  AxisSet axes = 0;
  /// Of Input and Call.
  llvm::StringRef name;
  CallLaws laws;
  llvm::ArrayRef<Expr> operands;

  /// Operand `i`, from 0; not checked.
  Expr operand(unsigned i) const { return operands[i]; }
  /// True for a Constant of any value.
  bool isConstant() const { return kind == Kind::Constant; }
  /// True for the Constant `v`.
  bool isConstant(double v) const { return isConstant() && value == v; }
  /// True for the Constant -infinity.
  bool isMinusInfinity() const { return isConstant(-kInfinity); }
  /// What makes nodes equal, for the FoldingSet.
  void Profile(llvm::FoldingSetNodeID &profile) const;
};

/// Owns expressions and numbers axes. Not copyable; one per derivation.
class ExprContext {
public:
  ExprContext() = default;
  ExprContext(const ExprContext &) = delete;
  ExprContext &operator=(const ExprContext &) = delete;

  /// The number of the axis called `name`, numbering it at its first use.
  /// `size` is kept when positive. At most kMaxAxes.
  unsigned axis(llvm::StringRef name, int64_t size = 0);
  /// The name that the axis was numbered under.
  llvm::StringRef axisName(unsigned axis) const { return axisNames[axis]; }
  /// Positions along the axis, or 0 when unknown.
  int64_t axisSize(unsigned axis) const { return axisSizes[axis]; }
  /// How many axes are numbered so far.
  unsigned getNumAxes() const { return axisNames.size(); }

  /// A number; carries no axis.
  Expr constant(double value);
  /// `stored`: the rounding that its values already went through.
  Expr input(llvm::StringRef name, AxisSet axes, double low = -kInfinity,
             double high = kInfinity,
             std::optional<Rounding> stored = std::nullopt);
  /// The position along `axis`, which it carries.
  Expr index(unsigned axis);
  /// The constant, when the size is known.
  Expr size(unsigned axis);
  /// Accumulator `number`; `variant` 0 is the old or left one, 1 the right one.
  Expr state(unsigned number, AxisSet axes, unsigned variant = 0);
  /// The point that differences of `of` are taken from: one for all positions
  /// along `shared`, axes which it does not carry.
  Expr reference(Expr of, AxisSet shared);
  /// `operand` minus its reference().
  Expr shifted(Expr operand, Expr reference) {
    return make(Kind::Shifted, {operand, reference});
  }
  /// Any kind that has operands only; folds constants, 0 + a, 1 * a, a / 1.
  Expr make(Kind kind, llvm::ArrayRef<Expr> operands);
  /// a + b.
  Expr add(Expr a, Expr b) { return make(Kind::Add, {a, b}); }
  /// a - b.
  Expr sub(Expr a, Expr b) { return make(Kind::Sub, {a, b}); }
  /// a * b.
  Expr mul(Expr a, Expr b) { return make(Kind::Mul, {a, b}); }
  /// a / b.
  Expr div(Expr a, Expr b) { return make(Kind::Div, {a, b}); }
  /// -a.
  Expr neg(Expr a) { return make(Kind::Neg, {a}); }
  /// The larger of a and b.
  Expr max(Expr a, Expr b) { return make(Kind::Max, {a, b}); }
  /// The smaller of a and b.
  Expr min(Expr a, Expr b) { return make(Kind::Min, {a, b}); }
  /// a * b + c, rounded once.
  Expr fma(Expr a, Expr b, Expr c) { return make(Kind::Fma, {a, b, c}); }
  /// e to the power a.
  Expr exp(Expr a) { return make(Kind::Exp, {a}); }
  /// 2 to the power a.
  Expr exp2(Expr a) { return make(Kind::Exp2, {a}); }
  /// a * c.
  Expr scale(double c, Expr a) { return mul(a, constant(c)); }
  /// `base` to a constant exponent; `base` itself for 1.
  Expr power(Expr base, double exponent);
  /// 1 where the comparison holds, else 0.
  Expr compare(Comparison comparison, Expr a, Expr b);
  /// Recognises "r > -inf ? r : 0" and its spellings as Guard(r).
  Expr select(Expr condition, Expr a, Expr b);
  /// a, or 0 where a is -infinity.
  Expr guard(Expr a) { return make(Kind::Guard, {a}); }
  /// a rounded as `rounding` says.
  Expr round(Expr a, Rounding rounding);
  /// A function `name` of the operands, known by `laws` alone.
  Expr call(llvm::StringRef name, llvm::ArrayRef<Expr> operands,
            CallLaws laws = {});
  /// `monoid` of `body` over `axis`, which the result does not carry. `k`: of a
  /// TopK, or the number of an Other; `identity`: of an Other.
  Expr reduce(Monoid monoid, unsigned axis, Expr body, unsigned k = 0,
              double identity = 0);
  /// Two partial results of `monoid` put together; `k` as for reduce().
  Expr combine(Monoid monoid, Expr a, Expr b, unsigned k = 0);
  /// A node like `node` on other operands.
  Expr rebuild(Expr node, llvm::ArrayRef<Expr> operands);
  /// `root` with every key of `replacements` replaced, memoised in it.
  Expr substitute(Expr root, llvm::DenseMap<Expr, Expr> &replacements);

  /// The axis that a TopK's survivors are listed along.
  unsigned survivorAxis() { return axis("K"); }

private:
  /// The node equal to `prototype`, copied into the arena if it is new.
  Expr unique(const ExprNode &prototype);
  llvm::BumpPtrAllocator allocator;
  llvm::FoldingSet<ExprNode> nodes;
  unsigned numNodes = 0;
  llvm::SmallVector<std::string, 8> axisNames;
  llvm::SmallVector<int64_t, 8> axisSizes;
};

/// The set of this one axis; `axis` is below kMaxAxes.
inline AxisSet axisBit(unsigned axis) { return AxisSet(1) << axis; }
/// True when `e` varies along `axis`.
inline bool carries(Expr e, unsigned axis) { return e->axes >> axis & 1; }

/// Names for nodes that shall not be spelt out, e.g. "r1" for a reduction.
using NameMap = llvm::DenseMap<Expr, std::string>;
/// One line of text, cut with "..." when long; `names` replace the nodes they
/// name (but not the root when `spellRoot`).
std::string print(const ExprContext &context, Expr e,
                  const NameMap *names = nullptr, bool spellRoot = false);
/// True when rounding `e` changes nothing.
bool isRounded(Expr e, Rounding rounding);
/// A number as print() writes it.
std::string printNumber(double value);

} // namespace napkin::algebra

#endif // NAPKIN_ALGEBRA_EXPR_H
