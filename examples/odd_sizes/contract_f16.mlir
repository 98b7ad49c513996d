// contract_f16.mlir with sizes that no tile divides.
!left   = !ncd.array<a=511, b=1000, f16>
!right  = !ncd.array<b=1000, c=777, f16>
!result = !ncd.array<a=511, c=777, f16>

ncd.diagram @contract_f16(%l: !left, %r: !right) -> !result {
  %o = ncd.contract %l, %r over [b] : !left, !right -> !result
  ncd.return %o : !result
}
