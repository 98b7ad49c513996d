// A layer of self-attention: queries, keys and values are projections of one X.
// The columns of a projection are heads side by side, and the rows of X are
// queries and keys: a split and a rename, which move nothing.
!x       = !ncd.array<s=256, e=256, bf16>
!w       = !ncd.array<e=256, n=256, bf16>
!columns = !ncd.array<s=256, n=256, bf16>
!queries = !ncd.array<s=256, h=4, d=64, bf16>
!keys    = !ncd.array<x=256, h=4, d=64, bf16>
!scores  = !ncd.array<h=4, s=256, x=256, f32>
!weights = !ncd.array<h=4, s=256, x=256, bf16>

ncd.diagram @self_attention(%x: !x, %wq: !w, %wk: !w, %wv: !w) -> !columns {
  %pq = ncd.contract %x, %wq over [e] : !x, !w -> !columns
  %pk = ncd.contract %x, %wk over [e] : !x, !w -> !columns
  %pv = ncd.contract %x, %wv over [e] : !x, !w -> !columns
  %q = ncd.split %pq "n" into [h, d] : !columns -> !queries
  %hk = ncd.split %pk "n" into [h, d] : !columns -> !queries
  %k = ncd.rename %hk [s] into [x] : !queries -> !keys
  %hv = ncd.split %pv "n" into [h, d] : !columns -> !queries
  %v = ncd.rename %hv [s] into [x] : !queries -> !keys
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%u: f32):
    %scale = arith.constant 0.125 : f32
    %r = arith.mulf %u, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  %y = ncd.join %o [h, d] into "n" : !queries -> !columns
  ncd.return %y : !columns
}
