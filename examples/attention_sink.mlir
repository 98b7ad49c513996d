// Attention with a sink: a score for each head that takes weight and gives no
// value. The weights are normalised by the logarithm of the sum of exponentials,
// in which the sink is one more.
!queries = !ncd.array<h=4, q=256, d=64, bf16>
!keys    = !ncd.array<h=4, x=256, d=64, bf16>
!scores  = !ncd.array<h=4, q=256, x=256, f32>
!weights = !ncd.array<h=4, q=256, x=256, bf16>
!sums    = !ncd.array<h=4, q=256, f32>
!sinks   = !ncd.array<h=4, f32>

ncd.diagram @attention_sink(%q: !queries, %k: !keys, %v: !keys, %sink: !sinks) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %l = ncd.logsumexp %t over [x] : !scores -> !sums
  %m = ncd.map %l, %sink {
  ^bb0(%a: f32, %b: f32):
    // log(exp(a) + exp(b))
    %high = arith.maximumf %a, %b : f32
    %low = arith.minimumf %a, %b : f32
    %less = arith.subf %low, %high : f32
    %w = math.exp %less : f32
    %more = math.log1p %w : f32
    %r = arith.addf %high, %more : f32
    ncd.yield %r : f32
  } : !sums, !sinks -> !sums
  %p = ncd.map %t, %m {
  ^bb0(%e: f32, %n: f32):
    %less = arith.subf %e, %n : f32
    %w = math.exp %less : f32
    %r = arith.truncf %w : f32 to bf16
    ncd.yield %r : bf16
  } : !scores, !sums -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
