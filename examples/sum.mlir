// The sum of all elements of a large array.
!matrix = !ncd.array<a=8192, b=8192, f32>
!number = !ncd.array<f32>

ncd.diagram @sum(%x: !matrix) -> !number {
  %s = ncd.reduce sum %x over [a, b] : !matrix -> !number
  ncd.return %s : !number
}
