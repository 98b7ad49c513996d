// logsumexp.mlir with sizes that no tile divides.
!rows   = !ncd.array<a=511, x=777, bf16>
!result = !ncd.array<a=511, f32>

ncd.diagram @logsumexp(%t: !rows) -> !result {
  %l = ncd.logsumexp %t over [x] : !rows -> !result
  ncd.return %l : !result
}
