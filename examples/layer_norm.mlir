// Layer normalisation written out: the mean of each row, the mean square of
// what is left, and a map that applies both, with a gain and an offset.
!rows    = !ncd.array<a=512, k=1024, bf16>
!columns = !ncd.array<k=1024, bf16>
!wide    = !ncd.array<a=512, k=1024, f32>
!sums    = !ncd.array<a=512, f32>

ncd.diagram @layer_norm(%x: !rows, %gain: !columns, %offset: !columns) -> !rows {
  %wide = ncd.map %x {
  ^bb0(%e: bf16):
    %r = arith.extf %e : bf16 to f32
    ncd.yield %r : f32
  } : !rows -> !wide
  %sum = ncd.reduce sum %wide over [k] : !wide -> !sums
  %squares = ncd.map %wide, %sum {
  ^bb0(%e: f32, %total: f32):
    %share = arith.constant 0.0009765625 : f32 // one over the length of k
    %mean = arith.mulf %total, %share : f32
    %left = arith.subf %e, %mean : f32
    %square = arith.mulf %left, %left : f32
    ncd.yield %square : f32
  } : !wide, !sums -> !wide
  %spread = ncd.reduce sum %squares over [k] : !wide -> !sums
  %y = ncd.map %wide, %sum, %spread, %gain, %offset {
  ^bb0(%e: f32, %total: f32, %square: f32, %g: bf16, %o: bf16):
    %share = arith.constant 0.0009765625 : f32
    %epsilon = arith.constant 1.0e-5 : f32
    %mean = arith.mulf %total, %share : f32
    %variance = arith.mulf %square, %share : f32
    %safe = arith.addf %variance, %epsilon : f32
    %root = math.rsqrt %safe : f32
    %left = arith.subf %e, %mean : f32
    %unit = arith.mulf %left, %root : f32
    %wide_gain = arith.extf %g : bf16 to f32
    %wide_offset = arith.extf %o : bf16 to f32
    %scaled = arith.mulf %unit, %wide_gain : f32
    %moved = arith.addf %scaled, %wide_offset : f32
    %r = arith.truncf %moved : f32 to bf16
    ncd.yield %r : bf16
  } : !wide, !sums, !sums, !columns, !columns -> !rows
  ncd.return %y : !rows
}
