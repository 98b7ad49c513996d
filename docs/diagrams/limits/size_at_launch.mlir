ncd.diagram @rows(%x: !ncd.array<row=?, n=64, f32>) -> !ncd.array<row=?, n=64, f32> {
  %y = ncd.softmax %x over [n] : !ncd.array<row=?, n=64, f32> -> !ncd.array<row=?, n=64, f32>
  ncd.return %y : !ncd.array<row=?, n=64, f32>
}
