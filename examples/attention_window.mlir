// Causal attention in a sliding window: each query sees itself and the 63 keys
// before it. Chunks that no row of a block sees are not loaded.
!queries = !ncd.array<h=4, q=512, d=64, bf16>
!keys    = !ncd.array<h=4, x=512, d=64, bf16>
!scores  = !ncd.array<h=4, q=512, x=512, f32>
!weights = !ncd.array<h=4, q=512, x=512, bf16>

ncd.diagram @attention_window(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %hidden = arith.constant 0xFF800000 : f32
    %iq = ncd.index "q" : index
    %ix = ncd.index "x" : index
    %width = arith.constant 64 : index
    %back = arith.subi %iq, %ix : index
    %zero = arith.constant 0 : index
    %past = arith.cmpi sge, %back, %zero : index
    %near = arith.cmpi slt, %back, %width : index
    %seen = arith.andi %past, %near : i1
    %z = arith.mulf %e, %scale : f32
    %r = arith.select %seen, %z, %hidden : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
