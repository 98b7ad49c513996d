// Quotients of every rounding, of both signs, and counts of bits: in a map, and
// under a sum that streams.
!t = !ncd.array<a=9, b=2000, f32>
!r = !ncd.array<a=9, f32>
ncd.diagram @integer_functions(%x: !t) -> (!t, !r) {
  %y = ncd.map %x {
  ^bb0(%e: f32):
    %i = ncd.index "a" : index
    %j = ncd.index "b" : index
    %half = arith.constant 1000 : index
    %three = arith.constant 3 : index
    %zero = arith.constant 0 : index
    %n = arith.subi %j, %half : index
    %four = arith.constant 4 : index
    %below = arith.subi %i, %four : index
    %still = arith.cmpi eq, %below, %zero : index
    %d = arith.select %still, %three, %below : index
    %floor = arith.floordivsi %n, %d : index
    %ceil = arith.ceildivsi %n, %d : index
    %up = arith.ceildivui %j, %three : index
    %s0 = arith.muli %floor, %three : index
    %s1 = arith.addi %s0, %ceil : index
    %s2 = arith.subi %s1, %up : index
    %w = arith.index_cast %n : index to i32
    %l = arith.index_cast %n : index to i64
    %ones = math.ctpop %w : i32
    %leading = math.ctlz %w : i32
    %trailing = math.cttz %w : i32
    %ones64 = math.ctpop %l : i64
    %leading64 = math.ctlz %l : i64
    %trailing64 = math.cttz %l : i64
    %c0 = arith.addi %ones, %leading : i32
    %c1 = arith.addi %c0, %trailing : i32
    %c2 = arith.addi %ones64, %leading64 : i64
    %c3 = arith.addi %c2, %trailing64 : i64
    %c4 = arith.trunci %c3 : i64 to i32
    %c5 = arith.muli %c1, %c4 : i32
    %s3 = arith.index_cast %s2 : index to i32
    %sum = arith.addi %s3, %c5 : i32
    %f = arith.sitofp %sum : i32 to f32
    %r = arith.mulf %e, %f : f32
    ncd.yield %r : f32
  } : !t -> !t
  %s = ncd.reduce sum %y over [b] : !t -> !r
  ncd.return %y, %s : !t, !r
}
