// A number from two arrays: differences, squares and their mean in one pass on
// the whole machine. Nothing is written but the sums of the parts.
!pictures = !ncd.array<a=1024, b=512, bf16>
!squares  = !ncd.array<a=1024, b=512, f32>
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
    %n = arith.constant 1.9073486328125e-06 : f32   // 1 / (1024 * 512)
    %r = arith.mulf %s, %n : f32
    ncd.yield %r : f32
  } : !number -> !number
  ncd.return %m : !number
}
