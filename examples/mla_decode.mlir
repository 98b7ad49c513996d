// One new token of multi-head latent attention: all heads share one cache of 576
// columns. All of them are the keys; the first 512 are the values as well, a
// slice, which is read in the tile of the keys: the cache is loaded once.
!queries = !ncd.array<b=4, h=16, c=576, bf16>
!cache   = !ncd.array<b=4, x=1000, c=576, bf16>
!values  = !ncd.array<b=4, x=1000, v=512, bf16>
!scores  = !ncd.array<b=4, h=16, x=1000, f32>
!weights = !ncd.array<b=4, h=16, x=1000, bf16>
!result  = !ncd.array<b=4, h=16, v=512, bf16>

ncd.diagram @mla_decode(%q: !queries, %cache: !cache) -> !result {
  %s = ncd.contract %q, %cache over [c] : !queries, !cache -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    // 1 / sqrt(128 + 64)
    %scale = arith.constant 0.07216878364870322 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %v = ncd.slice %cache "c" from 0 into "v" : !cache -> !values
  %o = ncd.contract %p, %v over [x] : !weights, !values -> !result
  ncd.return %o : !result
}
