//===- Expected.cpp - Forms that must come out ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What describe() prints for each case of the table, read by a person whenever
// it changes (NAPKIN_PRINT_FORMS=1 AlgebraTests prints it anew).
//
//===----------------------------------------------------------------------===//

#include "Expected.h"

#include <sstream>

namespace napkin::algebra::test {
namespace {

const char *const forms = R"(
@@ sum
a0 = sum_x X
finish r1 = a0
@@ max
a0 = max_x X
finish r1 = a0
@@ mean
a0 = sum_x X
finish r1 = a0
@@ variance (two-pass text)
a0 = sum_x X
a1 = sum_x (X-ref); shift a4
a2 = sum_x ((X-ref)*(X-ref)); shift a4
a3 = count_x
a4 = first_x X
finish r1 = a0
finish r2 = ((a2+((a1*(a4+-(a0/|x|)))*2))+(|x|*((a4+-(a0/|x|))*(a4+-(a0/|x|)))))
@@ third central moment
a0 = sum_x X
a1 = sum_x (X-ref); shift a5
a2 = sum_x ((X-ref)*(X-ref)); shift a5
a3 = sum_x (((X-ref)*(X-ref))*(X-ref)); shift a5
a4 = count_x
a5 = first_x X
finish r1 = a0
finish r2 = (((a3+((a2*(a5+-(a0/|x|)))*3))+((a1*((a5+-(a0/|x|))*(a5+-(a0/|x|))))*3))+(|x|*(((a5+-(a0/|x|))*(a5+-(a0/|x|)))*(a5+-(a0/|x|)))))
@@ softmax denominator
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
finish r1 = a0
finish r2 = a1
@@ softmax as output
refused: axis x, '(exp((X-r1))/r2)': append family: the output carries x and depends on r1, r2 over x; its first element needs the last input. One pass yields the state, a second pass over x maps it; streamable only if a consumer reduces x
@@ exp map as output
@@ attention
a0 = max_x sum_d (Q*K)
a1 = sum_x exp((sum_d (Q*K)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (exp((sum_d (Q*K)*0.35))*V); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = (a2*(1/a1))
@@ attention, guarded
a0 = max_x sum_d (Q*K)
a1 = sum_x exp((sum_d (Q*K)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (exp((sum_d (Q*K)*0.35))*V); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = (a2*(1/select((a1 == 0), 1, a1)))
@@ naive softmax*V (no max written)
a0 = max_x sum_d (Q*K)
a1 = sum_x exp((sum_d (Q*K)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (exp((sum_d (Q*K)*0.35))*V); gauge exp(-0.35*a0)
finish r1 = ((a1*exp((a0*0.175)))*exp((a0*0.175)))
finish r2 = (a2*(1/a1))
@@ attention, base 2
a0 = max_x sum_d (Q*K)
a1 = sum_x exp((sum_d (Q*K)*0.346574)); gauge exp(-0.346574*a0)
a2 = sum_x (exp((sum_d (Q*K)*0.346574))*V); gauge exp(-0.346574*a0)
finish r1 = a0
finish r2 = a1
finish r3 = (a2*(1/a1))
@@ attention, temperature array
a0 = max_x ((sum_d (Q*K)/T)*0.35)
a1 = sum_x exp(((sum_d (Q*K)/T)*0.35)); gauge exp(-a0)
a2 = sum_x (exp(((sum_d (Q*K)/T)*0.35))*V); gauge exp(-a0)
finish r3 = (a2*(1/a1))
@@ attention, causal
a0 = max_x select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf)
a1 = sum_x exp((select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (exp((select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf)*0.35))*V); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = (a2*(1/a1))
@@ attention, causal, guarded
a0 = max_x select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf)
a1 = sum_x exp((select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (exp((select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf)*0.35))*V); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = (a2*(1/select((a1 == 0), 1, a1)))
@@ attention, mask inside exp branch
a0 = max_x select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf)
a1 = sum_x select((#x <= ((#q*19)+10)), exp((sum_d (Q*K)*0.35)), 0); gauge exp(-0.35*a0)
a2 = sum_x (select((#x <= ((#q*19)+10)), exp((sum_d (Q*K)*0.35)), 0)*V); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = select((a1 == 0), 0, a1)
finish r3 = select((a2 == 0), 0, (a2*(1/select((a1 == 0), 0, a1))))
@@ attention, fully masked rows, as is
a0 = max_x select((#q > 1), select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf), -inf)
a1 = sum_x exp((select((#q > 1), select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf), -inf)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (exp((select((#q > 1), select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf), -inf)*0.35))*V); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = (a2*(1/a1))
@@ attention, fully masked rows, guarded
a0 = max_x select((#q > 1), select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf), -inf)
a1 = sum_x exp((select((#q > 1), select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf), -inf)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (exp((select((#q > 1), select((#x <= ((#q*19)+10)), sum_d (Q*K), -inf), -inf)*0.35))*V); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = (a2*(1/select((a1 == 0), 1, a1)))
@@ attention, window (first chunks masked)
a0 = max_x select((#x >= ((#q*15)+20)), sum_d (Q*K), -inf)
a1 = sum_x exp((select((#x >= ((#q*15)+20)), sum_d (Q*K), -inf)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (exp((select((#x >= ((#q*15)+20)), sum_d (Q*K), -inf)*0.35))*V); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = (a2*(1/select((a1 == 0), 1, a1)))
@@ attention, linear bias and normed operands (r over d)
a0 = max_x (((sum_d ((Q*rsqrt((sum_d (Q*Q)+1e-06)))*(K*rsqrt((sum_d (K*K)+1e-06))))*10)+(#q*-0.95))+(#x*0.05))
a1 = sum_x exp((((sum_d ((Q*rsqrt((sum_d (Q*Q)+1e-06)))*(K*rsqrt((sum_d (K*K)+1e-06))))*10)+(#q*-0.95))+(#x*0.05))); gauge exp(-a0)
a2 = sum_x (exp((((sum_d ((Q*rsqrt((sum_d (Q*Q)+1e-06)))*(K*rsqrt((sum_d (K*K)+1e-06))))*10)+(#q*-0.95))+(#x*0.05)))*V); gauge exp(-a0)
finish r1 = a0
finish r2 = a1
finish r3 = (a2*(1/a1))
@@ exp-weighted max: max_x softmax*w
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
a2 = max_x (exp(X)*abs(Y)); gauge exp(-a0)
finish r1 = a0
finish r2 = a1
finish r3 = (a2/a1)
@@ attention backward: sum p (dp - delta) k
a0 = max_x sum_d (Q*K)
a1 = sum_x exp((sum_d (Q*K)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (exp((sum_d (Q*K)*0.35))*sum_e (dO*V)); gauge exp(-0.35*a0)
a3 = sum_x (exp((sum_d (Q*K)*0.35))*K); gauge exp(-0.35*a0)
a4 = sum_x (exp((sum_d (Q*K)*0.35))*(K*(sum_e (dO*V)-ref))); gauge exp(-0.35*a0); shift a6
a5 = count_x
a6 = first_x sum_e (dO*V)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = (a2/a1)
finish r4 = ((a4*(1/a1))+(a3*((a6+-(a2/a1))/a1)))
@@ softmax of scores on rms-normed values
a0 = max_x sum_d (Q*K)
a1 = sum_x exp((sum_d (Q*K)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (V*V)
a3 = sum_x (exp((sum_d (Q*K)*0.35))*V); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = a2
finish r4 = (a3*(rsqrt(((a2/|x|)+1e-06))/a1))
@@ instance norm then softmax
refused: axis x, r3 = max_x ((X-(r1/|x|))*rsqrt(((r2/|x|)+1e-05))): '((X-(r1/|x|))*rsqrt(((r2/|x|)+1e-05)))': max needs g(x)*h(r) or a(x)+b(r); it is a sum of 2 products of x and r: (X*rsqrt(((r2/|x|)+1e-05))) + -((r1*rsqrt(((r2/|x|)+1e-05)))/|x|)
@@ standardised correlation
a0 = sum_x X
a1 = sum_x Y
a2 = sum_x (Y-ref); shift a9
a3 = sum_x (X-ref); shift a8
a4 = sum_x ((X-ref)*(Y-ref)); shift a8 a9
a5 = sum_x ((X-ref)*(X-ref)); shift a8
a6 = sum_x ((Y-ref)*(Y-ref)); shift a9
a7 = count_x
a8 = first_x X
a9 = first_x Y
finish r1 = a0
finish r2 = a1
finish r3 = (((a4+(a3*(a9+-(a1/|x|))))+(a2*(a8+-(a0/|x|))))+(|x|*((a8+-(a0/|x|))*(a9+-(a1/|x|)))))
finish r4 = ((a5+((a3*(a8+-(a0/|x|)))*2))+(|x|*((a8+-(a0/|x|))*(a8+-(a0/|x|)))))
finish r5 = ((a6+((a2*(a9+-(a1/|x|)))*2))+(|x|*((a9+-(a1/|x|))*(a9+-(a1/|x|)))))
@@ weighted variance through an r-only quotient
a0 = sum_x (exp(tanh(Y))*X)
a1 = sum_x exp(tanh(Y))
a2 = sum_x (exp(tanh(Y))*(X-ref)); shift a5
a3 = sum_x (exp(tanh(Y))*((X-ref)*(X-ref))); shift a5
a4 = count_x
a5 = first_x X
finish r1 = a0
finish r2 = a1
finish r3 = ((a3+((a2*(a5+-(a0/a1)))*2))+(a1*((a5+-(a0/a1))*(a5+-(a0/a1)))))
note: no gauge for (exp(tanh(Y))*X): its exponent lies within 1
note: no gauge for exp(tanh(Y)): its exponent lies within 1
note: no gauge for (exp(tanh(Y))*(X-ref)): its exponent lies within 1
note: no gauge for (exp(tanh(Y))*((X-ref)*(X-ref))): its exponent lies within 1
@@ attention, softcap 30
a0 = sum_x exp((tanh(((sum_d (Q*K)*0.35)/30))*30))
a1 = sum_x (exp((tanh(((sum_d (Q*K)*0.35)/30))*30))*V)
finish r3 = (a1*(1/a0))
note: no gauge for exp((tanh(((sum_d (Q*K)*0.35)/30))*30)): its exponent lies within 30
note: no gauge for (exp((tanh(((sum_d (Q*K)*0.35)/30))*30))*V): its exponent lies within 30
@@ attention, softcap 30, guarded
a0 = sum_x exp((tanh(((sum_d (Q*K)*0.35)/30))*30))
a1 = sum_x (exp((tanh(((sum_d (Q*K)*0.35)/30))*30))*V)
finish r3 = (a1*(1/select((a0 == 0), 1, a0)))
note: no gauge for exp((tanh(((sum_d (Q*K)*0.35)/30))*30)): its exponent lies within 30
note: no gauge for (exp((tanh(((sum_d (Q*K)*0.35)/30))*30))*V): its exponent lies within 30
@@ attention, softcap 200
a0 = max_x tanh(((sum_d (Q*K)*0.35)/200))
a1 = sum_x exp((tanh(((sum_d (Q*K)*0.35)/200))*200)); gauge exp(-200*a0)
a2 = sum_x (exp((tanh(((sum_d (Q*K)*0.35)/200))*200))*V); gauge exp(-200*a0)
finish r1 = (a0*200)
finish r2 = a1
finish r3 = (a2*(1/a1))
@@ sigmoid attention
a0 = sum_x (V*sigmoid((sum_d (Q*K)*0.35)))
finish r1 = a0
@@ attention with a sink in the denominator
a0 = max_x sum_d (Q*K)
a1 = sum_x exp((sum_d (Q*K)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x (exp((sum_d (Q*K)*0.35))*V); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = ((a1*exp((((a0*0.35)-max((a0*0.35), S))*0.5)))*exp((((a0*0.35)-max((a0*0.35), S))*0.5)))
finish r3 = (((a2*exp((((a0*0.35)-max((a0*0.35), S))*0.5)))*(1/(((a1*exp((((a0*0.35)-max((a0*0.35), S))*0.5)))*exp((((a0*0.35)-max((a0*0.35), S))*0.5)))+exp((S-max((a0*0.35), S))))))*exp((((a0*0.35)-max((a0*0.35), S))*0.5)))
@@ attention, p rounded to bf16
a0 = max_x sum_d (Q*K)
a1 = sum_x (bf16(exp((sum_d (Q*K)*0.35)))*V); gauge exp(-0.35*a0)
a2 = sum_x exp((sum_d (Q*K)*0.35)); gauge exp(-0.35*a0)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = a2
note: rounding 'bf16' of exp(((sum_d (Q*K)*0.35)-r1)) acts on the gauged element: same relative error, not bit-equal
@@ gaussian kernel smoother
a0 = max_x -sum_d ((Q-K)*(Q-K))
a1 = sum_x exp(-sum_d ((Q-K)*(Q-K))); gauge exp(-a0)
a2 = sum_x (exp(-sum_d ((Q-K)*(Q-K)))*V); gauge exp(-a0)
finish r1 = a0
finish r2 = a1
finish r3 = (a2*(1/a1))
@@ rms norm -> contract
a0 = sum_x (X*X)
a1 = sum_x ((X*W)*G)
finish r1 = a0
finish r2 = (a1*rsqrt(((a0/|x|)+1e-06)))
@@ layer norm -> contract
a0 = sum_x X
a1 = sum_x (X-ref); shift a6
a2 = sum_x ((X-ref)*(X-ref)); shift a6
a3 = sum_x (W*G)
a4 = sum_x ((W*G)*(X-ref)); shift a6
a5 = count_x
a6 = first_x X
finish r1 = a0
finish r2 = ((a2+((a1*(a6+-(a0/|x|)))*2))+(|x|*((a6+-(a0/|x|))*(a6+-(a0/|x|)))))
finish r3 = ((a4*rsqrt(((((a2+((a1*(a6+-(a0/|x|)))*2))+(|x|*((a6+-(a0/|x|))*(a6+-(a0/|x|)))))/|x|)+1e-05)))+(a3*(rsqrt(((((a2+((a1*(a6+-(a0/|x|)))*2))+(|x|*((a6+-(a0/|x|))*(a6+-(a0/|x|)))))/|x|)+1e-05))*(a6+-(a0/|x|)))))
@@ l2 normalise -> contract (cosine)
a0 = sum_x (X*X)
a1 = sum_x (Y*Y)
a2 = sum_x (X*Y)
finish r1 = a0
finish r2 = a1
finish r3 = (a2/(sqrt(a0)*sqrt(a1)))
@@ scaled norm (hypot), inputs up to 2^32
a0 = max_x abs(X)
a1 = sum_x (X*X)
finish r1 = a0
finish r2 = (a1*((1/a0)*(1/a0)))
@@ scaled norm (hypot), inputs up to 2^120
a0 = max_x abs(X)
a1 = sum_x (X*X); gauge a0^-2
finish r1 = a0
finish r2 = (a1*((select((a0 > 0), a0, 1)/a0)*(select((a0 > 0), a0, 1)/a0)))
@@ logsumexp
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
finish r1 = a0
finish r2 = a1
@@ cross-entropy of a contract
a0 = max_x sum_d (Q*K)
a1 = sum_x exp((sum_d (Q*K)*0.35)); gauge exp(-0.35*a0)
a2 = sum_x select((#x == L), (sum_d (Q*K)*0.35), 0)
finish r1 = (a0*0.35)
finish r2 = a1
finish r3 = a2
@@ entropy sum p log p
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
a2 = sum_x (exp(X)*(X-ref)); gauge exp(-a0); shift a0
finish r1 = a0
finish r2 = a1
finish r3 = ((a2/a1)+(a1*(((finite(a0)+-a0)+-log(a1))/a1)))
@@ KL(softmax X, softmax Y)
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
a2 = max_x Y
a3 = sum_x exp(Y); gauge exp(-a2)
a4 = sum_x (exp(X)*(X-ref)); gauge exp(-a0); shift a0
a5 = sum_x (exp(X)*(Y-ref)); gauge exp(-a0); shift a7
a6 = count_x
a7 = first_x Y
finish r1 = a0
finish r2 = a1
finish r3 = a2
finish r4 = a3
finish r5 = (((a4/a1)+-(a5/a1))+(a1*(((((finite(a0)+-a0)+((a7*-1)+a2))+-log(a1))+log(a3))/a1)))
@@ chained contracts over the middle
a0 = sum_x (V*sum_k (A*B))
finish r1 = a0
@@ absmax scale -> contract, no rounding
a0 = max_x abs(X)
a1 = sum_x (X*W)
finish r1 = a0
finish r2 = ((a1*(1/a0))*127)
@@ quantise (grid) -> contract
refused: axis x, r2 = sum_x (grid((X/(r1/127)))*W): 'grid((X/(r1/127)))': rounding to a fixed grid does not commute with a factor in r: the grid of earlier chunks would have been another one (make the scale an input, or accept a second pass)
@@ max of grid-quantised
a0 = max_x abs(X)
a1 = max_x X
finish r1 = a0
finish r2 = grid((a1*((1/a0)*127)))
@@ top-k of softmax
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
a2 = topk3_x X
finish r1 = a0
finish r2 = a1
finish r3 = (exp((a2+-a0))*(1/a1))
@@ argmax of softmax
a0 = max_x X
a1 = argmax_x X
finish r1 = a0
finish r3 = a1
@@ log-softmax -> contract
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
a2 = sum_x W
a3 = sum_x (W*(X-ref)); shift a5
a4 = count_x
a5 = first_x X
finish r1 = a0
finish r2 = a1
finish r3 = (a3+(a2*((a5+-a0)+-log(a1))))
@@ log of softmax -> contract
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
a2 = sum_x W
a3 = sum_x (W*(X-ref)); shift a5
a4 = count_x
a5 = first_x X
finish r1 = a0
finish r2 = a1
finish r3 = (a3+(a2*((a5+-a0)+-log(a1))))
@@ gated: two reductions share
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
a2 = sum_x (exp(X)*W); gauge exp(-a0)
a3 = sum_x (exp(X)*(W*sigmoid(Y))); gauge exp(-a0)
a4 = sum_x (exp(X)*sigmoid(Y)); gauge exp(-a0)
finish r1 = a0
finish r2 = a1
finish r3 = (a2*(1/a1))
finish r4 = (a3*(1/a1))
finish r5 = (a4/a1)
@@ two softmaxes, difference
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
a2 = max_x Y
a3 = sum_x exp(Y); gauge exp(-a2)
a4 = sum_x (exp(X)*W); gauge exp(-a0)
a5 = sum_x (exp(Y)*W); gauge exp(-a2)
finish r1 = a0
finish r2 = a1
finish r3 = a2
finish r4 = a3
finish r5 = ((a4*(1/a1))+((a5*(1/a3))*-0.3))
@@ linear attention
a0 = sum_x (V*sum_d (Q*K))
finish r1 = a0
@@ linear attention, normalised
a0 = sum_x sum_d (exp((Q*0.1))*exp(tanh(K)))
a1 = sum_x (V*sum_d (exp((Q*0.1))*exp(tanh(K))))
finish r1 = a0
finish r2 = (a1*(1/a0))
note: assumed: |sum_d (exp((Q*0.1))*exp(tanh(K)))| <= 2^32
@@ mean-centred keys, softmax
a0 = max_x sum_d (Q*K)
a1 = sum_x exp(sum_d (Q*K)); gauge exp(-a0)
a2 = sum_x (exp(sum_d (Q*K))*V); gauge exp(-a0)
finish r3 = a1
finish r4 = (a2*(1/a1))
@@ inner sum, r carries d
a0 = sum_x (K*K)
a1 = sum_x ((Q*K)*V)
finish r1 = a0
finish r2 = sum_d (a1*(1/sqrt(a0)))
@@ softmax of normalised scores (s/rms)
refused: axis x, r3 = sum_x exp(((X*rsqrt(((r1/|x|)+1e-06)))-r2)): '(X*rsqrt(((r1/|x|)+1e-06)))': the summand (X*rsqrt(((r1/|x|)+1e-06))) joins x and r multiplicatively, so exp/max of it does not split additively
@@ max of x*r, sign of r unknown
a0 = sum_x Y
a1 = max_x X
a2 = min_x X
finish r1 = a0
finish r2 = select((a0 >= 0), (a1*a0), (a2*a0))
@@ max_x max(x, mean)
a0 = sum_x X
a1 = max_x X
finish r1 = a0
finish r2 = max(a1, (a0/|x|))
@@ any(x > 2*mean+1)
a0 = sum_x X
a1 = max_x X
finish r1 = a0
finish r2 = (a1 > (((a0/|x|)*2)+1))
@@ prod (x/mean)
a0 = sum_x Z
a1 = prod_x Z
finish r1 = a0
finish r2 = (a1*((|x|/a0)^|x|))
@@ sum exp(x - mean)
a0 = sum_x X
a1 = max_x X
a2 = sum_x exp(X); gauge exp(-a1)
finish r1 = a0
finish r2 = ((a2*exp(((a1-(a0/|x|))*0.5)))*exp(((a1-(a0/|x|))*0.5)))
@@ covariance
a0 = sum_x X
a1 = sum_x Y
a2 = sum_x (Y-ref); shift a7
a3 = sum_x (X-ref); shift a6
a4 = sum_x ((X-ref)*(Y-ref)); shift a6 a7
a5 = count_x
a6 = first_x X
a7 = first_x Y
finish r1 = a0
finish r2 = a1
finish r3 = (((a4+(a3*(a7+-(a1/|x|))))+(a2*(a6+-(a0/|x|))))+(|x|*((a6+-(a0/|x|))*(a7+-(a1/|x|)))))
@@ variance under a softmax
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
a2 = sum_x (exp(X)*X); gauge exp(-a0)
a3 = sum_x (exp(X)*(X-ref)); gauge exp(-a0); shift a5
a4 = sum_x (exp(X)*((X-ref)*(X-ref))); gauge exp(-a0); shift a5
a5 = mean_x X
finish r1 = a0
finish r2 = a1
finish r3 = (a2/a1)
finish r4 = (((a4/a1)+((a3*((a5+-(a2/a1))/a1))*2))+((a1/a1)*((a5+-(a2/a1))*(a5+-(a2/a1)))))
@@ variance under the softmax of another array
a0 = max_x Y
a1 = sum_x exp(Y); gauge exp(-a0)
a2 = sum_x (exp(Y)*X); gauge exp(-a0)
a3 = sum_x (exp(Y)*(X-ref)); gauge exp(-a0); shift a5
a4 = sum_x (exp(Y)*((X-ref)*(X-ref))); gauge exp(-a0); shift a5
a5 = mean_x X
finish r1 = a0
finish r2 = a1
finish r3 = (a2/a1)
finish r4 = (((a4/a1)+((a3*((a5+-(a2/a1))/a1))*2))+((a1/a1)*((a5+-(a2/a1))*(a5+-(a2/a1)))))
@@ sum of squared softmax
a0 = max_x X
a1 = sum_x exp(X); gauge exp(-a0)
a2 = sum_x exp((X*2)); gauge exp(-2*a0)
finish r1 = a0
finish r2 = a1
finish r3 = (a2*((1/a1)*(1/a1)))
@@ refused: sum sin(x*r1)
refused: axis x, r2 = sum_x sin((X*r1)): 'sin((X*r1))': 'sin' of a value that joins x and r does not split into a finite sum of products
@@ refused: median
refused: axis x, r1 = region_x X: 'r1': this reduction is not a monoid: no bounded state has a merge
@@ refused: sum max(x, r1)
refused: axis x, r2 = sum_x max(X, (r1/|x|)): 'max(X, (r1/|x|))': max of x and r is piecewise: it distributes over + only for a common summand
@@ refused: sum (x > r1)
refused: axis x, r2 = sum_x select((X > (r1/|x|)), 1, 0): '(X > (r1/|x|))': a condition that joins x and r (no homomorphism of the sum)
@@ refused: sum |x - mean|
refused: axis x, r2 = sum_x abs((X-(r1/|x|))): '(X-(r1/|x|))': |u| needs u to be one product g(x)*h(r); it is a sum of 2 products of x and r: X + -(r1/|x|)
@@ refused: softmax of softmax
refused: axis x, r4 = sum_x exp(((exp((X-r1))/r2)-r3)): '(exp((X-r1))/r2)': the summand (exp((X-r1))/r2) joins x and r multiplicatively, so exp/max of it does not split additively
@@ refused: sum sigmoid(x - max)
refused: axis x, r2 = sum_x sigmoid((X-r1)): 'sigmoid((X-r1))': 'sigmoid' of a value that joins x and r does not split into a finite sum of products
@@ refused: sum 1/(x + r)
refused: axis x, r2 = sum_x (1/(X+r1)): '(X+r1)': 1/b needs b to be one product g(x)*h(r); it is a sum of 2 products of x and r: X + r1
@@ refused: rsqrt(x^2 + r)
refused: axis x, r2 = sum_x rsqrt(((X*X)+r1)): '((X*X)+r1)': rsqrt(u) needs u to be one product g(x)*h(r); it is a sum of 2 products of x and r: (X*X) + r1
)";

} // namespace

std::string expectedForm(const std::string &name) {
  std::istringstream text(forms);
  std::string line, form;
  bool found = false;
  while (std::getline(text, line)) {
    if (line.rfind("@@ ", 0) == 0)
      found = line.substr(3) == name;
    else if (found)
      form += line + "\n";
  }
  return form;
}

} // namespace napkin::algebra::test
