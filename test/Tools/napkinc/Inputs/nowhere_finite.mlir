!x = !ncd.array<a=40, f32>
ncd.diagram @nowhere_finite(%x: !x) -> !x {
  %y = ncd.map %x {
  ^bb0(%e: f32):
    %z = arith.constant 0.0 : f32
    %v = arith.divf %e, %z : f32
    ncd.yield %v : f32
  } : !x -> !x
  ncd.return %y : !x
}
