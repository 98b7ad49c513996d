// RUN: napkin-opt %s --split-input-file --verify-diagnostics

!o = !ncd.array<m=64, f32>
tile.kernel @k(%o: !o) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  // expected-error @below {{expects a positive step, got 0}}
  tile.loop %i = %c0 to %c0 step %c0 {
  }
  tile.return
}

// -----

!o = !ncd.array<m=64, f32>
tile.kernel @k(%o: !o) grid [] warps 4 outputs 1 {
  %c1 = arith.constant 1 : index
  // expected-error @below {{expects 1 to 16 slots, got 17}}
  tile.loop %i = %c1 to %c1 step %c1 slots 17 {
  }
  tile.return
}

// -----

!o = !ncd.array<m=64, f32>
tile.kernel @k(%o: !o) grid [] warps 4 outputs 1 {
  %c1 = arith.constant 1 : index
  // expected-error @below {{expects tile.next of as many values as are carried, of the same types}}
  %r = tile.loop %i = %c1 to %c1 step %c1 iter_args(%s = %c1) -> (index) {
    tile.next
  }
  tile.return
}

// -----

!o = !ncd.array<m=64, f32>
tile.kernel @k(%o: !o) grid [] warps 4 outputs 1 {
  %c1 = arith.constant 1 : index
  // expected-error @below {{expects a type for each of 1 carried values, got 2}}
  %r:2 = tile.loop %i = %c1 to %c1 step %c1 iter_args(%s = %c1) -> (index, index) {
    tile.next %s : index
  }
  tile.return
}

// -----

!o = !ncd.array<m=64, f32>
tile.kernel @k(%o: !o) grid [] warps 4 outputs 1 {
  %c1 = arith.constant 1 : index
  // expected-error @below {{expects a body of the position, the trip if it is counted, and the carried values}}
  "tile.loop"(%c1, %c1, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}> ({
  ^bb0:
    "tile.next"() : () -> ()
  }) : (index, index, index) -> ()
  tile.return
}

// -----

!o = !ncd.array<m=64, f32>
tile.kernel @k(%o: !o) grid [] warps 4 outputs 1 {
  %c1 = arith.constant 1 : index
  // expected-error @below {{expects results of the carried values, then the next trip if it is counted}}
  "tile.loop"(%c1, %c1, %c1, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> ({
  ^bb0(%i: index, %t: index):
    "tile.next"() : () -> ()
  }) : (index, index, index, index) -> ()
  tile.return
}
