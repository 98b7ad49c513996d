// Index arithmetic that passes 32 bits, by a product, by a constant, and below
// zero as an unsigned number.
!x = !ncd.array<a=5000, f32>
ncd.diagram @index_bits(%x: !x) -> (!x, !x, !x) {
  %y = ncd.map %x {
  ^bb0(%e: f32):
    %i = ncd.index "a" : index
    %k = arith.constant 1000003 : index
    %p = arith.muli %i, %k : index
    %s = arith.constant 7 : index
    %m = arith.remui %p, %s : index
    %w = arith.index_cast %m : index to i32
    %f = arith.sitofp %w : i32 to f32
    %r = arith.addf %e, %f : f32
    ncd.yield %r : f32
  } : !x -> !x
  %z = ncd.map %x {
  ^bb0(%e: f32):
    %i = ncd.index "a" : index
    %k = arith.constant 6000000000 : index
    %p = arith.addi %i, %k : index
    %w = arith.index_cast %p : index to i64
    %f = arith.sitofp %w : i64 to f32
    ncd.yield %f : f32
  } : !x -> !x
  %u = ncd.map %x {
  ^bb0(%e: f32):
    %i = ncd.index "a" : index
    %k = arith.constant 100 : index
    %d = arith.subi %i, %k : index
    %s = arith.constant 7 : index
    %m = arith.remui %d, %s : index
    %w = arith.index_cast %m : index to i32
    %f = arith.sitofp %w : i32 to f32
    ncd.yield %f : f32
  } : !x -> !x
  ncd.return %y, %z, %u : !x, !x, !x
}
