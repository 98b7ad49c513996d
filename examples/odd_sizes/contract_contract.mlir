// contract_contract.mlir with sizes that no tile divides.
!left   = !ncd.array<a=511, b=64, bf16>
!middle = !ncd.array<b=64, c=777, bf16>
!inner  = !ncd.array<a=511, c=777, bf16>
!right  = !ncd.array<c=777, d=64, bf16>
!result = !ncd.array<a=511, d=64, bf16>

ncd.diagram @contract_contract(%l: !left, %m: !middle, %r: !right) -> !result {
  %i = ncd.contract %l, %m over [b] : !left, !middle -> !inner
  %o = ncd.contract %i, %r over [c] : !inner, !right -> !result
  ncd.return %o : !result
}
