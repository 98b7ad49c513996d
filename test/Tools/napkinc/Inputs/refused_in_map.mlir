!x = !ncd.array<a=40, b=100, f32>
ncd.diagram @map(%x: !x) -> !x {
  %y = ncd.map %x {
  ^bb0(%e: f32):
    %three = arith.constant 3 : i32
    %v = math.fpowi %e, %three : f32, i32
    ncd.yield %v : f32
  } : !x -> !x
  ncd.return %y : !x
}
