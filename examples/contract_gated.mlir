// A gated layer (SwiGLU): two products of the same rows, the first bent by
// z·sigmoid(z) and multiplied with the second. Both share one pass over b.
!rows    = !ncd.array<a=256, b=512, bf16>
!columns = !ncd.array<b=512, c=512, bf16>
!sums    = !ncd.array<a=256, c=512, f32>
!result  = !ncd.array<a=256, c=512, bf16>

ncd.diagram @contract_gated(%x: !rows, %gate: !columns, %up: !columns) -> !result {
  %g = ncd.contract %x, %gate over [b] : !rows, !columns -> !sums
  %u = ncd.contract %x, %up over [b] : !rows, !columns -> !sums
  %o = ncd.map %g, %u {
  ^bb0(%z: f32, %w: f32):
    %one = arith.constant 1.0 : f32
    %minus = arith.negf %z : f32
    %power = math.exp %minus : f32
    %below = arith.addf %power, %one : f32
    %bent = arith.divf %z, %below : f32
    %product = arith.mulf %bent, %w : f32
    %round = arith.truncf %product : f32 to bf16
    ncd.yield %round : bf16
  } : !sums, !sums -> !result
  ncd.return %o : !result
}
