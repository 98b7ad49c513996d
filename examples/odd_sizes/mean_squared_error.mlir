// mean_squared_error.mlir with sizes that no chunk divides.
!pictures = !ncd.array<a=1021, b=509, bf16>
!squares  = !ncd.array<a=1021, b=509, f32>
!number   = !ncd.array<f32>

ncd.diagram @mean_squared_error(%x: !pictures, %y: !pictures) -> !number {
  %d = ncd.map %x, %y {
  ^bb0(%p: bf16, %q: bf16):
    %e = arith.extf %p : bf16 to f32
    %f = arith.extf %q : bf16 to f32
    %g = arith.subf %e, %f : f32
    %s = arith.mulf %g, %g : f32
    ncd.yield %s : f32
  } : !pictures, !pictures -> !squares
  %t = ncd.reduce sum %d over [a, b] : !squares -> !number
  %m = ncd.map %t {
  ^bb0(%s: f32):
    %n = arith.constant 1.9242326e-06 : f32   // 1 / (1021 * 509)
    %r = arith.mulf %s, %n : f32
    ncd.yield %r : f32
  } : !number -> !number
  ncd.return %m : !number
}
