!a = !ncd.array<i=64, k=64, bf16>
!b = !ncd.array<j=64, k=64, bf16>
!c = !ncd.array<k=64, bf16>
!r = !ncd.array<i=64, j=64, f32>
ncd.diagram @three(%a: !a, %b: !b, %c: !c) -> !r {
  %r = ncd.contract %a, %b, %c over [k] : !a, !b, !c -> !r
  ncd.return %r : !r
}
