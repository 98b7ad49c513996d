// attention.mlir with sizes that no tile divides.
!q = !ncd.array<h=4, q=511, d=128, bf16>
!k = !ncd.array<h=4, x=777, d=128, bf16>
!s = !ncd.array<h=4, q=511, x=777, f32>
!p = !ncd.array<h=4, q=511, x=777, bf16>

ncd.diagram @attention(%q: !q, %k: !k, %v: !k) -> !q {
  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.08838834764 : f32   // 1 / sqrt(128)
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !s -> !s
  %p = ncd.softmax %t over [x] : !s -> !p
  %o = ncd.contract %p, %v over [x] : !p, !k -> !q
  ncd.return %o : !q
}
