// Attention with linear biases (ALiBi): every score is lowered by the distance
// between query and key, times a slope that belongs to the head.
!queries = !ncd.array<h=4, q=512, d=64, bf16>
!keys    = !ncd.array<h=4, x=512, d=64, bf16>
!slopes  = !ncd.array<h=4, f32>
!scores  = !ncd.array<h=4, q=512, x=512, f32>
!weights = !ncd.array<h=4, q=512, x=512, bf16>

ncd.diagram @attention_alibi(%q: !queries, %k: !keys, %v: !keys, %slope: !slopes) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s, %slope {
  ^bb0(%e: f32, %steep: f32):
    %scale = arith.constant 0.125 : f32
    %query = ncd.index "q" : index
    %key = ncd.index "x" : index
    %query_int = arith.index_cast %query : index to i32
    %key_int = arith.index_cast %key : index to i32
    %apart = arith.subi %query_int, %key_int : i32
    %distance = arith.sitofp %apart : i32 to f32
    %absolute = math.absf %distance : f32
    %scaled = arith.mulf %e, %scale : f32
    %lower = arith.mulf %steep, %absolute : f32
    %r = arith.subf %scaled, %lower : f32
    ncd.yield %r : f32
  } : !scores, !slopes -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
