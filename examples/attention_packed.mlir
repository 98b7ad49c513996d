// Causal attention of packed queries, keys and values, as one projection writes
// them: for each token three rows, of heads side by side. Each is a slice, and
// kernels read it where it lies. The result has the tokens' order too.
!packed  = !ncd.array<b=2, s=256, t=3, h=4, d=64, bf16>
!queries = !ncd.array<b=2, s=256, h=4, d=64, bf16>
!keys    = !ncd.array<b=2, x=256, h=4, d=64, bf16>
!scores  = !ncd.array<b=2, h=4, s=256, x=256, f32>
!weights = !ncd.array<b=2, h=4, s=256, x=256, bf16>

ncd.diagram @attention_packed(%qkv: !packed) -> !queries {
  %q = ncd.slice %qkv "t" from 0 : !packed -> !queries
  %own = ncd.slice %qkv "t" from 1 : !packed -> !queries
  %k = ncd.rename %own [s] into [x] : !queries -> !keys
  %seen = ncd.slice %qkv "t" from 2 : !packed -> !queries
  %v = ncd.rename %seen [s] into [x] : !queries -> !keys
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %m = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %hidden = arith.constant 0xFF800000 : f32
    %is = ncd.index "s" : index
    %ix = ncd.index "x" : index
    %past = arith.cmpi ule, %ix, %is : index
    %z = arith.mulf %e, %scale : f32
    %r = arith.select %past, %z, %hidden : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %m over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
