// contract_bias_relu.mlir with sizes that no tile divides.
!left   = !ncd.array<a=511, b=1000, bf16>
!right  = !ncd.array<b=1000, c=777, bf16>
!bias   = !ncd.array<c=777, bf16>
!sums   = !ncd.array<a=511, c=777, f32>
!result = !ncd.array<a=511, c=777, bf16>

ncd.diagram @contract_bias_relu(%l: !left, %r: !right, %bias: !bias) -> !result {
  %s = ncd.contract %l, %r over [b] : !left, !right -> !sums
  %o = ncd.map %s, %bias {
  ^bb0(%e: f32, %add: bf16):
    %zero = arith.constant 0.0 : f32
    %wide = arith.extf %add : bf16 to f32
    %sum = arith.addf %e, %wide : f32
    %relu = arith.maximumf %sum, %zero : f32
    %round = arith.truncf %relu : f32 to bf16
    ncd.yield %round : bf16
  } : !sums, !bias -> !result
  ncd.return %o : !result
}
