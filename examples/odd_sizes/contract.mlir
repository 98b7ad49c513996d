// contract.mlir with sizes that no tile divides.
!left   = !ncd.array<a=511, b=1000, bf16>
!right  = !ncd.array<b=1000, c=777, bf16>
!result = !ncd.array<a=511, c=777, bf16>

ncd.diagram @contract(%l: !left, %r: !right) -> !result {
  %o = ncd.contract %l, %r over [b] : !left, !right -> !result
  ncd.return %o : !result
}
