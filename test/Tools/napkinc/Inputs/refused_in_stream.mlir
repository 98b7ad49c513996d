!x = !ncd.array<a=40, b=10000, f32>
!r = !ncd.array<a=40, f32>
ncd.diagram @stream(%x: !x) -> !r {
  %y = ncd.map %x {
  ^bb0(%e: f32):
    %three = arith.constant 3 : i32
    %v = math.fpowi %e, %three : f32, i32
    ncd.yield %v : f32
  } : !x -> !x
  %s = ncd.reduce sum %y over [b] : !x -> !r
  ncd.return %s : !r
}
