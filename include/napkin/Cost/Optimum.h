//===- Optimum.h - the least transfer in closed form ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// min H(g) subject to M(g) = M, where H is a sum of monomials with partition
// variables below the line and M, in leading order, is one monomial in them.
//
// Write the terms of H that mention a variable as t_k = c_k·Π g_i^(-E_ki), and
// the constraint as c·Π g_i^(a_i) = M. At the optimum the gradient of log t
// balances that of the constraint, so t_k = λ·w_k with Σ_k w_k·E_k = a. When
// the rows E_k are independent the weights w_k are unique, and with W = Σ w_k
// the inequality of weighted means gives the value, attained:
//
//     H* = W · ( Π_k (c_k/w_k)^(w_k) · c / M )^(1/W)  +  the terms without g
//
// so β = 1/W. Attention has one variable: w = 1, β = 1, H* = 4·q·x·d²/M +
// 2·q·d. A product a×b·b×c has two: w = (1, 1), β = 1/2, H* = 2·a·b·c/√M + a·c.
// Neither is known here; both come out of the exponents.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_COST_OPTIMUM_H
#define NAPKIN_COST_OPTIMUM_H

#include "napkin/Cost/KernelModel.h"
#include <vector>

namespace napkin::cost {

/// The optimum as formulas in the sizes of the axes and in `M`.
struct ClosedForm {
  /// The least transfer.
  Expression transfers;
  /// The power of 1/M in it; 0 when memory does not matter.
  Rational beta;
  /// The partition that attains it: (axis, value).
  std::vector<std::pair<std::string, Expression>> partition;
  /// The memory constraint that was eliminated: its left side.
  Expression memory;
};

/// The optimum of \p model, in values or bytes. Returns nullopt and says why in
/// \p whyNot when the exponents are not those of a closed form.
std::optional<ClosedForm> findClosedForm(const KernelModel &model, Unit unit,
                                         std::string *whyNot = nullptr);

} // namespace napkin::cost

#endif // NAPKIN_COST_OPTIMUM_H
