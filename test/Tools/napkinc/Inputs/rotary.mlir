// Rotary embeddings of positions from a million on, by angles that f32 holds.
!x = !ncd.array<t=64, c=32, f32>
ncd.diagram @rotary(%x: !x, %y: !x) -> (!x, !x) {
  %a = ncd.map %x, %y {
  ^bb0(%e: f32, %o: f32):
    %t = ncd.index "t" : index
    %n = arith.constant 1000000 : index
    %p = arith.addi %t, %n : index
    %i = arith.index_cast %p : index to i32
    %q = arith.sitofp %i : i32 to f32
    %k = ncd.index "c" : index
    %ki = arith.index_cast %k : index to i32
    %kf = arith.sitofp %ki : i32 to f32
    %eighth = arith.constant 0.125 : f32
    %w = arith.mulf %kf, %eighth : f32
    %g = arith.addf %q, %w : f32
    %s = math.sin %g : f32
    %c = math.cos %g : f32
    %ec = arith.mulf %e, %c : f32
    %os = arith.mulf %o, %s : f32
    %r = arith.subf %ec, %os : f32
    ncd.yield %r : f32
  } : !x, !x -> !x
  %b = ncd.map %x, %y {
  ^bb0(%e: f32, %o: f32):
    %t = ncd.index "t" : index
    %n = arith.constant 1000000 : index
    %p = arith.addi %t, %n : index
    %i = arith.index_cast %p : index to i32
    %q = arith.sitofp %i : i32 to f32
    %k = ncd.index "c" : index
    %ki = arith.index_cast %k : index to i32
    %kf = arith.sitofp %ki : i32 to f32
    %eighth = arith.constant 0.125 : f32
    %w = arith.mulf %kf, %eighth : f32
    %g = arith.addf %q, %w : f32
    %s = math.sin %g : f32
    %c = math.cos %g : f32
    %es = arith.mulf %e, %s : f32
    %oc = arith.mulf %o, %c : f32
    %r = arith.addf %es, %oc : f32
    ncd.yield %r : f32
  } : !x, !x -> !x
  ncd.return %a, %b : !x, !x
}
