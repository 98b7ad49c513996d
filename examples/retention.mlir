// Retention: causal attention without softmax, in which a key's weight decays
// by a constant factor with every position that lies between. A plain sum.
!queries = !ncd.array<h=4, q=512, d=64, bf16>
!keys    = !ncd.array<h=4, x=512, d=64, bf16>
!scores  = !ncd.array<h=4, q=512, x=512, f32>
!weights = !ncd.array<h=4, q=512, x=512, bf16>

ncd.diagram @retention(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %p = ncd.map %s {
  ^bb0(%e: f32):
    %zero = arith.constant 0.0 : f32
    %decay = arith.constant -0.03125 : f32
    %query = ncd.index "q" : index
    %key = ncd.index "x" : index
    %seen = arith.cmpi ule, %key, %query : index
    %query_int = arith.index_cast %query : index to i32
    %key_int = arith.index_cast %key : index to i32
    %apart = arith.subi %query_int, %key_int : i32
    %distance = arith.sitofp %apart : i32 to f32
    %exponent = arith.mulf %distance, %decay : f32
    %bounded = arith.minimumf %exponent, %zero : f32
    %factor = math.exp2 %bounded : f32
    %weight = arith.mulf %e, %factor : f32
    %kept = arith.select %seen, %weight, %zero : f32
    %r = arith.truncf %kept : f32 to bf16
    ncd.yield %r : bf16
  } : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
