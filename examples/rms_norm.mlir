// Root-mean-square normalisation written out: a map, a sum, a map.
!rows    = !ncd.array<a=512, k=1024, bf16>
!gain    = !ncd.array<k=1024, bf16>
!squares = !ncd.array<a=512, k=1024, f32>
!sums    = !ncd.array<a=512, f32>

ncd.diagram @rms_norm(%x: !rows, %gain: !gain) -> !rows {
  %squares = ncd.map %x {
  ^bb0(%e: bf16):
    %wide = arith.extf %e : bf16 to f32
    %square = arith.mulf %wide, %wide : f32
    ncd.yield %square : f32
  } : !rows -> !squares
  %sum = ncd.reduce sum %squares over [k] : !squares -> !sums
  %y = ncd.map %x, %gain, %sum {
  ^bb0(%e: bf16, %g: bf16, %total: f32):
    %share = arith.constant 0.0009765625 : f32 // one over the length of k
    %epsilon = arith.constant 1.0e-6 : f32
    %mean = arith.mulf %total, %share : f32
    %safe = arith.addf %mean, %epsilon : f32
    %root = math.rsqrt %safe : f32
    %wide = arith.extf %e : bf16 to f32
    %wide_gain = arith.extf %g : bf16 to f32
    %scaled = arith.mulf %wide, %root : f32
    %r = arith.mulf %scaled, %wide_gain : f32
    %round = arith.truncf %r : f32 to bf16
    ncd.yield %round : bf16
  } : !rows, !gain, !sums -> !rows
  ncd.return %y : !rows
}
