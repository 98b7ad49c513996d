// row_softmax.mlir with sizes that no tile divides.
!rows = !ncd.array<a=511, x=777, bf16>

ncd.diagram @row_softmax(%t: !rows) -> !rows {
  %p = ncd.softmax %t over [x] : !rows -> !rows
  ncd.return %p : !rows
}
