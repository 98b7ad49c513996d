// Attention with keys and values of 8 bits and a scale for each: what is
// multiplied is computed from them chunk by chunk, on the way to the tensor
// cores.
!queries = !ncd.array<h=2, q=512, d=128, bf16>
!bytes   = !ncd.array<h=2, x=512, d=128, i8>
!keys    = !ncd.array<h=2, x=512, d=128, bf16>
!scales  = !ncd.array<h=2, x=512, f32>
!scores  = !ncd.array<h=2, q=512, x=512, f32>
!weights = !ncd.array<h=2, q=512, x=512, bf16>

ncd.diagram @attention_quantized(%q: !queries, %k8: !bytes, %k_scale: !scales, %v8: !bytes, %v_scale: !scales) -> !queries {
  %k = ncd.map %k8, %k_scale {
  ^bb0(%e: i8, %scale: f32):
    %wide = arith.sitofp %e : i8 to f32
    %r = arith.mulf %wide, %scale : f32
    %round = arith.truncf %r : f32 to bf16
    ncd.yield %round : bf16
  } : !bytes, !scales -> !keys
  %v = ncd.map %v8, %v_scale {
  ^bb0(%e: i8, %scale: f32):
    %wide = arith.sitofp %e : i8 to f32
    %r = arith.mulf %wide, %scale : f32
    %round = arith.truncf %r : f32 to bf16
    ncd.yield %round : bf16
  } : !bytes, !scales -> !keys
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.08838834764831845 : f32 // 1 / sqrt(128)
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
