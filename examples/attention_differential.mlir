// Differential attention: the weights of one pair of queries and keys less those of
// a second one. Halves of the rows are the two pairs, and the result is normalised.
!queries = !ncd.array<h=4, q=256, n=128, bf16>
!keys    = !ncd.array<h=4, x=256, n=128, bf16>
!half    = !ncd.array<h=4, q=256, d=64, bf16>
!others  = !ncd.array<h=4, x=256, d=64, bf16>
!values  = !ncd.array<h=4, x=256, v=64, bf16>
!scores  = !ncd.array<h=4, q=256, x=256, f32>
!weights = !ncd.array<h=4, q=256, x=256, bf16>
!sums    = !ncd.array<h=4, q=256, v=64, f32>
!result  = !ncd.array<h=4, q=256, v=64, bf16>
!lambda  = !ncd.array<h=4, f32>

ncd.diagram @attention_differential(%q: !queries, %k: !keys, %v: !values, %lambda: !lambda) -> !result {
  %q0 = ncd.slice %q "n" from 0 into "d" : !queries -> !half
  %k0 = ncd.slice %k "n" from 0 into "d" : !keys -> !others
  %s0 = ncd.contract %q0, %k0 over [d] : !half, !others -> !scores
  %t0 = ncd.map %s0 {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p0 = ncd.softmax %t0 over [x] : !scores -> !weights
  %o0 = ncd.contract %p0, %v over [x] : !weights, !values -> !sums
  %q1 = ncd.slice %q "n" from 64 into "d" : !queries -> !half
  %k1 = ncd.slice %k "n" from 64 into "d" : !keys -> !others
  %s1 = ncd.contract %q1, %k1 over [d] : !half, !others -> !scores
  %t1 = ncd.map %s1 {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p1 = ncd.softmax %t1 over [x] : !scores -> !weights
  %o1 = ncd.contract %p1, %v over [x] : !weights, !values -> !sums
  %d = ncd.map %o0, %o1, %lambda {
  ^bb0(%a: f32, %b: f32, %l: f32):
    %m = arith.mulf %l, %b : f32
    %r = arith.subf %a, %m : f32
    ncd.yield %r : f32
  } : !sums, !sums, !lambda -> !sums
  %y = ncd.rms_norm %d over [v] eps 1.0e-5 : !sums -> !result
  ncd.return %y : !result
}
