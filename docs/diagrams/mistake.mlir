!rows = !ncd.array<row=200, n=1000, f32>

ncd.diagram @shifted(%x: !rows) -> !rows {
  %shift = arith.constant 2.0 : f32
  %y = ncd.map %x {
  ^bb0(%e: f32):
    %r = arith.addf %e, %shift : f32
    ncd.yield %r : f32
  } : !rows -> !rows
  ncd.return %y : !rows
}
