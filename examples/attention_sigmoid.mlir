// Sigmoid attention: every weight depends on its own score alone, so that the
// stream over the keys has a plain sum for its state.
!queries = !ncd.array<h=4, q=512, d=64, bf16>
!keys    = !ncd.array<h=4, x=512, d=64, bf16>
!scores  = !ncd.array<h=4, q=512, x=512, f32>
!weights = !ncd.array<h=4, q=512, x=512, bf16>

ncd.diagram @attention_sigmoid(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %p = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant -0.125 : f32
    %offset = arith.constant 6.23832463 : f32 // log of the number of keys
    %one = arith.constant 1.0 : f32
    %scaled = arith.mulf %e, %scale : f32
    %shifted = arith.addf %scaled, %offset : f32
    %power = math.exp %shifted : f32
    %below = arith.addf %power, %one : f32
    %sigmoid = arith.divf %one, %below : f32
    %r = arith.truncf %sigmoid : f32 to bf16
    ncd.yield %r : bf16
  } : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
