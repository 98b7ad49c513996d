// Attention with rotary positions: the two halves of a query and of a key are
// turned by angles that grow with its place, on their way to the product.
!queries = !ncd.array<h=2, q=512, d=64, bf16>
!keys    = !ncd.array<h=2, x=512, d=64, bf16>
!values  = !ncd.array<h=2, x=512, e=128, bf16>
!q_angle = !ncd.array<q=512, d=64, bf16>
!k_angle = !ncd.array<x=512, d=64, bf16>
!scores  = !ncd.array<h=2, q=512, x=512, f32>
!weights = !ncd.array<h=2, q=512, x=512, bf16>
!result  = !ncd.array<h=2, q=512, e=128, bf16>

ncd.diagram @attention_rotated(%q1: !queries, %q2: !queries, %k1: !keys, %k2: !keys, %v: !values, %q_cos: !q_angle, %q_sin: !q_angle, %k_cos: !k_angle, %k_sin: !k_angle) -> !result {
  %a1 = ncd.map %q1, %q2, %q_cos, %q_sin {
  ^bb0(%e: bf16, %f: bf16, %c: bf16, %s: bf16):
    %x = arith.mulf %e, %c : bf16
    %y = arith.mulf %f, %s : bf16
    %r = arith.subf %x, %y : bf16
    ncd.yield %r : bf16
  } : !queries, !queries, !q_angle, !q_angle -> !queries
  %a2 = ncd.map %q1, %q2, %q_cos, %q_sin {
  ^bb0(%e: bf16, %f: bf16, %c: bf16, %s: bf16):
    %x = arith.mulf %e, %s : bf16
    %y = arith.mulf %f, %c : bf16
    %r = arith.addf %x, %y : bf16
    ncd.yield %r : bf16
  } : !queries, !queries, !q_angle, !q_angle -> !queries
  %b1 = ncd.map %k1, %k2, %k_cos, %k_sin {
  ^bb0(%e: bf16, %f: bf16, %c: bf16, %s: bf16):
    %x = arith.mulf %e, %c : bf16
    %y = arith.mulf %f, %s : bf16
    %r = arith.subf %x, %y : bf16
    ncd.yield %r : bf16
  } : !keys, !keys, !k_angle, !k_angle -> !keys
  %b2 = ncd.map %k1, %k2, %k_cos, %k_sin {
  ^bb0(%e: bf16, %f: bf16, %c: bf16, %s: bf16):
    %x = arith.mulf %e, %s : bf16
    %y = arith.mulf %f, %c : bf16
    %r = arith.addf %x, %y : bf16
    ncd.yield %r : bf16
  } : !keys, !keys, !k_angle, !k_angle -> !keys
  %s1 = ncd.contract %a1, %b1 over [d] : !queries, !keys -> !scores
  %s2 = ncd.contract %a2, %b2 over [d] : !queries, !keys -> !scores
  %t = ncd.map %s1, %s2 {
  ^bb0(%e: f32, %f: f32):
    %scale = arith.constant 0.08838834764831845 : f32 // 1 / sqrt(128)
    %sum = arith.addf %e, %f : f32
    %r = arith.mulf %sum, %scale : f32
    ncd.yield %r : f32
  } : !scores, !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !values -> !result
  ncd.return %o : !result
}
