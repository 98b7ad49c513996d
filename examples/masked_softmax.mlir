// Softmax of rows of which some have no finite score at all: every seventh row
// is hidden whole. By definition such a row gives 0, not the quotient 0/0.
!rows   = !ncd.array<a=512, x=1024, bf16>
!scores = !ncd.array<a=512, x=1024, f32>

ncd.diagram @masked_softmax(%t: !rows) -> !rows {
  %s = ncd.map %t {
  ^bb0(%e: bf16):
    %hidden = arith.constant 0xFF800000 : f32 // minus infinity
    %seven = arith.constant 7 : index
    %zero = arith.constant 0 : index
    %row = ncd.index "a" : index
    %rest = arith.remui %row, %seven : index
    %seen = arith.cmpi ne, %rest, %zero : index
    %wide = arith.extf %e : bf16 to f32
    %r = arith.select %seen, %wide, %hidden : f32
    ncd.yield %r : f32
  } : !rows -> !scores
  %p = ncd.softmax %s over [x] : !scores -> !rows
  ncd.return %p : !rows
}
