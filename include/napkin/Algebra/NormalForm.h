//===- NormalForm.h - Sums of products of x-parts and r-parts ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The separation at the heart of the streaming algebra. Relative to a streamed
// axis x and the reductions r over it, every term has one of four classes; a
// mixed term is rewritten, by structural recursion and laws of its operations,
// into a sum of monomials whose atoms are not mixed. Reading off the x-part and
// the r-part of each monomial then needs no search.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_ALGEBRA_NORMALFORM_H
#define NAPKIN_ALGEBRA_NORMALFORM_H

#include "napkin/Algebra/Expr.h"
#include "llvm/ADT/MapVector.h"
#include <optional>
#include <utility>

namespace napkin::algebra {

/// Fixed: neither x nor a reduction over it. Streamed: carries x, no reduction
/// over x below. Reduced: no x, some reduction below. Mixed: both.
enum class TermClass : uint8_t { Fixed, Streamed, Reduced, Mixed };

/// Atoms with a nonzero number each, sorted by id. Powers of a product or
/// coefficients of a sum.
using Factors = llvm::SmallVector<std::pair<Expr, double>, 4>;
/// Adds `amount` to the number of `atom`; drops it at zero.
void addFactor(Factors &factors, Expr atom, double amount);

/// coefficient * prod atom^power * rounding(exp(sum c*atom) * prod rounded)
/// where all masks hold, else 0, summed over the bound axes. The powers that
/// are `outside` the masks are multiplied on behind them.
struct Monomial {
  double coefficient = 1;
  Factors powers;
  Factors exponent;
  /// Axes that are summed inside.
  AxisSet bound = 0;
  /// Conditions, sorted by id.
  llvm::SmallVector<Expr, 2> masks;
  /// Part of the powers; empty without masks.
  Factors outside;
  /// Factors under the rounding, with the exponential.
  Factors rounded;
  std::optional<Rounding> rounding;

  /// Axes that its atoms carry.
  AxisSet axes() const;
  /// The powers that are not outside the masks.
  Factors masked() const;
  /// Equal up to the coefficient.
  bool isSameProduct(const Monomial &other) const;
  /// True when nothing but the coefficient is left.
  bool isOne() const {
    return powers.empty() && exponent.empty() && masks.empty() &&
           rounded.empty();
  }
};
using Monomials = llvm::SmallVector<Monomial, 2>;

/// A law that is missing, at the sub-expression that needs it.
struct MissingLaw {
  Expr expr = nullptr;
  std::string law;
};

/// log2 of the range in which f16 rounds with constant relative error.
constexpr double kHalfRangeLog2 = 14;

/// The closed interval [low, high]; everything unless narrowed.
struct Interval {
  double low = -kInfinity, high = kInfinity;
  /// The largest |v| for v in the interval; infinity when unbounded.
  double magnitude() const { return std::max(std::fabs(low), std::fabs(high)); }
};

/// Normal forms and intervals relative to one streamed axis. Everything is
/// memoised, each node is visited once per mode.
class Normalizer {
public:
  /// \param inputBoundLog2 B in |input| <= 2^B where an input has no bounds.
  Normalizer(ExprContext &context, unsigned axis, double inputBoundLog2);

  /// The class of `e` relative to the streamed axis.
  TermClass classOf(Expr e);
  /// True for a term in x alone.
  bool isStreamed(Expr e) { return classOf(e) == TermClass::Streamed; }
  /// True for a term that joins x and a reduction over it.
  bool isMixed(Expr e) { return classOf(e) == TermClass::Mixed; }
  /// True when no input can make `e` infinite or NaN.
  bool isProvedFinite(Expr e);

  /// Values that `e` can take under the bound on inputs. Masking constants
  /// -inf of selects are left out: their exponentials are exact zeros.
  Interval range(Expr e);
  /// log2 of a bound of |e| and of 1/|e|, assumed when none is derivable.
  /// `asValue`: also when the derived one is above what is assumed of a value
  /// that the source computes, 2^32 or the bound on inputs.
  double magnitudeLog2(Expr e, bool asValue = false);
  /// log2 of the number of positions along an axis.
  double sizeLog2(unsigned axis);

  /// The sum of products, or nothing with missing() set. `shift`: keep
  /// a(x) + b(r) whole as (a - ref) + (b + ref) instead of distributing.
  std::optional<Monomials> normalize(Expr e, bool shift = true);
  /// `e` as one product g(x) * h(r); `law` begins the refusal.
  std::optional<Monomial> single(Expr e, llvm::StringRef law);
  /// `e` as a sum of atoms that are not mixed.
  std::optional<Factors> linear(Expr e);
  /// The x-part and the rest. A bound axis stays with the x-part unless the
  /// rest carries it; then it is summed in the end.
  std::pair<Monomial, Monomial> split(const Monomial &monomial);
  /// The product a * b, or nothing with missing() set at `at`.
  std::optional<Monomial> multiply(const Monomial &a, const Monomial &b,
                                   Expr at);
  /// The class of the product.
  TermClass classOf(const Monomial &monomial);

  /// The monomial as an expression.
  Expr toExpr(const Monomial &monomial);
  /// The sum of the monomials as an expression.
  Expr toExpr(const Monomials &sum);
  /// The sum of coefficient * atom; 0 when empty.
  Expr linearToExpr(const Factors &terms);
  /// The same value with fused multiply-adds, terms with few axes first.
  Expr linearToFused(const Factors &terms);
  /// The product of atom^power, negative powers in a denominator.
  Expr powersToExpr(const Factors &powers);

  /// Why the last call gave nothing.
  const MissingLaw &missing() const { return refusal; }
  /// Sets missing() to `law` at `at`; for `return refuse(...)`.
  std::nullopt_t refuse(Expr at, const llvm::Twine &law);
  /// `e` as text, reductions by their `names`.
  std::string print(Expr e) { return algebra::print(context, e, names); }

  ExprContext &context;
  const unsigned axis;
  const double inputBoundLog2;
  /// Names to print reductions by.
  const NameMap *names = nullptr;
  /// Roundings that were moved, and atoms whose bound was assumed.
  llvm::SmallVector<std::string, 2> flags;
  llvm::SmallVector<Expr, 2> assumed;

private:
  /// normalize() without the memo.
  std::optional<Monomials> normalizeImpl(Expr e, bool shift);
  /// The form of a sum: its addends, like products collected, then shifted.
  std::optional<Monomials> normalizeSum(Expr e, bool shift);
  /// Appends the monomials of sign * e to `out`; false with missing() set.
  bool collectAddends(Expr e, double sign, bool shift, Monomials &out);
  /// log of one product as the sum of the logs of its factors.
  std::optional<Monomials> normalizeLog(Expr e, bool shift);
  /// A select whose condition does not join x and r; else a refusal.
  std::optional<Monomials> normalizeSelect(Expr e, bool shift);
  /// A relative rounding of one product, kept on the monomial.
  std::optional<Monomials> normalizeRound(Expr e);
  /// A sum over another axis: bound where carried, else times its size.
  std::optional<Monomials> normalizeInnerSum(Expr e, bool shift);
  /// A product, or a quotient by one product.
  std::optional<Monomials> normalizeProduct(Expr e, bool shift);
  /// The refusal for a kind that has no law on mixed operands.
  std::optional<Monomials> refuseOther(Expr e);
  /// monomial^exponent; refuses inner sums, masks and rounded values.
  std::optional<Monomial> power(const Monomial &monomial, double exponent,
                                Expr at);
  /// g*h1 + g*h2 = g*(h1 + h2), and the same with the sides swapped.
  std::optional<Monomial> rankOne(const Monomials &sum, Expr at);
  /// With `shift`, a(x) + b(r) kept whole: (a - ref) + (b + ref).
  Monomials shiftSum(Monomials sum, bool shift);
  /// Like products added up, those with coefficient 0 dropped.
  Monomials collect(Monomials sum);
  /// linear() without the memo.
  std::optional<Factors> linearImpl(Expr e);
  /// select(c(x), a(x) + b(r), -inf) = select(c, a, -inf) + b.
  std::optional<Factors> linearMixedSelect(Expr e);
  /// max(a + c(r), b + c(r)) = max(a, b) + c; the same for min.
  std::optional<Factors> linearMinMax(Expr e);
  /// max_b(c*a + d(r)) = c*(max_b a) + d for c > 0; the same for min.
  std::optional<Factors> linearInnerExtremum(Expr e);
  /// linear() of c * e.
  std::optional<Factors> linearMultiple(Expr e, double c);
  /// range() without the memo.
  Interval rangeImpl(Expr e);

  llvm::DenseMap<Expr, TermClass> classes;
  llvm::DenseMap<Expr, Interval> ranges;
  /// By shift; by the term and the axes that are summed around it.
  llvm::DenseMap<std::pair<Expr, AxisSet>, Monomials> forms[2];
  AxisSet innerAxes = 0;
  llvm::DenseMap<Expr, Factors> linearForms;
  MissingLaw refusal;
};

/// True when some node of `e` satisfies the predicate.
bool anyNode(Expr e, llvm::function_ref<bool(Expr)> predicate);

} // namespace napkin::algebra

#endif // NAPKIN_ALGEBRA_NORMALFORM_H
