// contract_long.mlir with sizes that no tile, chunk or part divides.
!left   = !ncd.array<m=43, k=4999, bf16>
!right  = !ncd.array<k=4999, n=37, bf16>
!result = !ncd.array<m=43, n=37, bf16>

ncd.diagram @contract_long(%a: !left, %b: !right) -> !result {
  %c = ncd.contract %a, %b over [k] : !left, !right -> !result
  ncd.return %c : !result
}
