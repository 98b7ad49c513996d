// Two matrix products in a row, without anything between them. Whether the
// middle array goes through global memory is the schedule's decision.
!left   = !ncd.array<a=512, b=64, bf16>
!middle = !ncd.array<b=64, c=512, bf16>
!inner  = !ncd.array<a=512, c=512, bf16>
!right  = !ncd.array<c=512, d=64, bf16>
!result = !ncd.array<a=512, d=64, bf16>

ncd.diagram @contract_contract(%l: !left, %m: !middle, %r: !right) -> !result {
  %i = ncd.contract %l, %m over [b] : !left, !middle -> !inner
  %o = ncd.contract %i, %r over [c] : !inner, !right -> !result
  ncd.return %o : !result
}
