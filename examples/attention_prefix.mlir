// A prefix that all queries see, and causal attention behind it.
!queries = !ncd.array<h=4, q=256, d=64, bf16>
!keys    = !ncd.array<h=4, x=256, d=64, bf16>
!scores  = !ncd.array<h=4, q=256, x=256, f32>
!weights = !ncd.array<h=4, q=256, x=256, bf16>

ncd.diagram @attention_prefix(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %hidden = arith.constant 0xFF800000 : f32
    %iq = ncd.index "q" : index
    %ix = ncd.index "x" : index
    %prefix = arith.constant 100 : index
    %all = arith.cmpi ult, %ix, %prefix : index
    %past = arith.cmpi ule, %ix, %iq : index
    %seen = arith.ori %all, %past : i1
    %z = arith.mulf %e, %scale : f32
    %r = arith.select %seen, %z, %hidden : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
