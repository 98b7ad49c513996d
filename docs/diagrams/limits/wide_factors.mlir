!a = !ncd.array<i=64, k=64, f32>
!b = !ncd.array<j=64, k=64, f32>
!r = !ncd.array<i=64, j=64, f32>
ncd.diagram @wide(%a: !a, %b: !b) -> !r {
  %r = ncd.contract %a, %b over [k] : !a, !b -> !r
  ncd.return %r : !r
}
