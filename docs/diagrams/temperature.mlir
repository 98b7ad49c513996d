// Every row of x, divided by a temperature of its own, becomes weights that sum
// to one; and the largest weight of each row.
!rows = !ncd.array<row=200, n=1000, bf16>
!wide = !ncd.array<row=200, n=1000, f32>
!each = !ncd.array<row=200, f32>

ncd.diagram @temperature(%x: !rows, %t: !each) -> (!rows {ncd.name = "weights"}, !each {ncd.name = "peak"}) {
  %scaled = ncd.map %x, %t {
  ^bb0(%e: bf16, %temperature: f32):
    %least = arith.constant 1.0e-3 : f32
    %size = math.absf %temperature : f32
    %safe = arith.maximumf %size, %least : f32
    %wide = arith.extf %e : bf16 to f32
    %r = arith.divf %wide, %safe : f32
    ncd.yield %r : f32
  } : !rows, !each -> !wide
  %weights = ncd.softmax %scaled over [n] : !wide -> !rows
  %peak = ncd.reduce max %weights over [n] : !rows -> !each
  ncd.return %weights, %peak : !rows, !each
}
