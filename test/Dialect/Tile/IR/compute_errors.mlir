// RUN: napkin-opt %s --split-input-file --verify-diagnostics

!x = !ncd.array<m=16, k=16, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %v = tile.view %x [m : 16, k : 16] : !x
  %t = tile.load %v : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  // expected-error @below {{axis 'n' is not in the tile}}
  %r = tile.reduce %t over "n" {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a : f32
  } : !tile.tile<m=16, k=16, f32> -> !tile.tile<m=16, f32>
  tile.return
}

// -----

!x = !ncd.array<m=16, k=16, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %v = tile.view %x [m : 16, k : 16] : !x
  %t = tile.load %v : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  // expected-error @below {{expects the tile without axis 'k' as the result}}
  %r = tile.reduce %t over "k" {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a : f32
  } : !tile.tile<m=16, k=16, f32> -> !tile.tile<k=16, f32>
  tile.return
}

// -----

!x = !ncd.array<m=16, k=48, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %v = tile.view %x [m : 16, k : 48] : !x
  %t = tile.load %v : !tile.view<m=16, k=48, f32> -> !tile.tile<m=16, k=48, f32>
  // expected-error @below {{expects parts of axis 'k' as the last axis, a power of two that divides 48, got 32}}
  %r = tile.reduce %t over "k" {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    tile.yield %s : f32
  } : !tile.tile<m=16, k=48, f32> -> !tile.tile<m=16, k=32, f32>
  tile.return
}

// -----

!x = !ncd.array<m=16, k=16, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %v = tile.view %x [m : 16, k : 16] : !x
  %t = tile.load %v : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  // expected-error @below {{expects a region from two elements of 'f32' to one}}
  %r = tile.reduce %t over "k" {
  ^bb0(%a: f32):
    tile.yield %a : f32
  } : !tile.tile<m=16, k=16, f32> -> !tile.tile<m=16, f32>
  tile.return
}

// -----

!x = !ncd.array<m=16, k=16, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %v = tile.view %x [m : 16, k : 16] : !x
  %t = tile.load %v : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  // expected-error @below {{expects one region argument for each tile}}
  %r = tile.map %t {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : (!tile.tile<m=16, k=16, f32>) -> !tile.tile<m=16, k=16, f32>
  tile.return
}

// -----

!x = !ncd.array<m=16, k=16, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %v = tile.view %x [m : 16, k : 16] : !x
  %t = tile.load %v : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  // expected-error @below {{axis 'k' of an operand is not in the result with the same size}}
  %r = tile.map %t {
  ^bb0(%a: f32):
    tile.yield %a : f32
  } : (!tile.tile<m=16, k=16, f32>) -> !tile.tile<m=16, f32>
  tile.return
}

// -----

!x = !ncd.array<m=16, k=16, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %v = tile.view %x [m : 16, k : 16] : !x
  %t = tile.load %v : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  // expected-error @below {{expects the region to yield 'bf16'}}
  %r = tile.map %t {
  ^bb0(%a: f32):
    tile.yield %a : f32
  } : (!tile.tile<m=16, k=16, f32>) -> !tile.tile<m=16, k=16, bf16>
  tile.return
}

// -----

!x = !ncd.array<m=16, k=16, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %v = tile.view %x [m : 16, k : 16] : !x
  %t = tile.load %v : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  // expected-error @below {{expects types that differ in the layout only}}
  %r = tile.convert %t : !tile.tile<m=16, k=16, f32> -> !tile.tile<k=16, m=16, f32>
  tile.return
}

// -----

!x = !ncd.array<m=16, k=16, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %v = tile.view %x [m : 16, k : 16] : !x
  %t = tile.load %v : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  // expected-error @below {{expects a (rows, summed), b (columns, summed) and an accumulator (rows, columns), in any order}}
  %r = tile.mma %t, %t, %t by "fma.f32" : !tile.tile<m=16, k=16, f32>, !tile.tile<m=16, k=16, f32>, !tile.tile<m=16, k=16, f32>
  tile.return
}

// -----

!a = !ncd.array<m=16, k=16, f32>
!c = !ncd.array<m=16, n=16, f32>
tile.kernel @k(%x: !a, %y: !ncd.array<n=16, k=16, f32>, %z: !c) grid [] warps 1 outputs 1 {
  %va = tile.view %x [m : 16, k : 16] : !a
  %vb = tile.view %y [n : 16, k : 16] : !ncd.array<n=16, k=16, f32>
  %vc = tile.view %z [m : 16, n : 16] : !c
  %a = tile.load %va : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  %b = tile.load %vb : !tile.view<n=16, k=16, f32> -> !tile.tile<n=16, k=16, f32>
  %c = tile.load %vc : !tile.view<m=16, n=16, f32> -> !tile.tile<m=16, n=16, f32>
  // expected-error @below {{'mma.m16n8k16.bf16' multiplies bf16 and bf16 into f32, got 'f32' and 'f32' into 'f32'}}
  %r = tile.mma %a, %b, %c by "mma.m16n8k16.bf16" : !tile.tile<m=16, k=16, f32>, !tile.tile<n=16, k=16, f32>, !tile.tile<m=16, n=16, f32>
  tile.return
}

// -----

!a = !ncd.array<m=16, k=16, f32>
!c = !ncd.array<m=16, n=16, f32>
tile.kernel @k(%x: !a, %y: !ncd.array<n=16, k=16, f32>, %z: !c) grid [] warps 1 outputs 1 {
  %va = tile.view %x [m : 16, k : 16] : !a
  %vb = tile.view %y [n : 16, k : 16] : !ncd.array<n=16, k=16, f32>
  %vc = tile.view %z [m : 16, n : 16] : !c
  %a = tile.load %va : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  %b = tile.load %vb : !tile.view<n=16, k=16, f32> -> !tile.tile<n=16, k=16, f32>
  %c = tile.load %vc : !tile.view<m=16, n=16, f32> -> !tile.tile<m=16, n=16, f32>
  // expected-error @below {{no target has an instruction 'mma.m1n1k1'}}
  %r = tile.mma %a, %b, %c by "mma.m1n1k1" : !tile.tile<m=16, k=16, f32>, !tile.tile<n=16, k=16, f32>, !tile.tile<m=16, n=16, f32>
  tile.return
}

// -----

!x = !ncd.array<m=16, k=16, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %v = tile.view %x [m : 16, k : 16] : !x
  %t = tile.load %v : !tile.view<m=16, k=16, f32> -> !tile.tile<m=16, k=16, f32>
  // expected-error @below {{expects region arguments of the tiles' elements}}
  %r = tile.map %t {
  ^bb0(%a: bf16):
    %c = arith.extf %a : bf16 to f32
    tile.yield %c : f32
  } : (!tile.tile<m=16, k=16, f32>) -> !tile.tile<m=16, k=16, f32>
  tile.return
}

// -----

!x = !ncd.array<m=16, k=16, f32>
tile.kernel @k(%x: !x) grid [] warps 1 outputs 1 {
  %c0 = arith.constant 0 : index
  // expected-error @below {{expects a position for each axis in `at`}}
  %r = "tile.map"(%c0) <{at = ["m", "k"], operandSegmentSizes = array<i32: 0, 1>}> ({
    %c = arith.constant 0.0 : f32
    "tile.yield"(%c) : (f32) -> ()
  }) : (index) -> !tile.tile<m=16, k=16, f32>
  tile.return
}
