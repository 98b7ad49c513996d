// RUN: napkin-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: tile.kernel @when
// CHECK: tile.when %{{.*}} : !tile.tile<n=128, i1> otherwise(%{{.*}} : !tile.tile<n=128, f32>) {
// CHECK: tile.next
tile.kernel @when(%x: !ncd.array<n=128, f32>, %y: !ncd.array<n=128, f32>) grid [] warps 4 outputs 1 {
  %from = tile.view %x [n : 128] : !ncd.array<n=128, f32>
  %to = tile.view %y [n : 128] : !ncd.array<n=128, f32>
  %t = tile.load %from : !tile.view<n=128, f32> -> !tile.tile<n=128, f32>
  %c = tile.map %t {
  ^bb0(%e: f32):
    %zero = arith.constant 0.0 : f32
    %r = arith.cmpf ogt, %e, %zero : f32
    tile.yield %r : i1
  } : (!tile.tile<n=128, f32>) -> !tile.tile<n=128, i1>
  %w = tile.when %c : !tile.tile<n=128, i1> otherwise(%t : !tile.tile<n=128, f32>) {
    %m = tile.map %t {
    ^bb0(%e: f32):
      %r = arith.negf %e : f32
      tile.yield %r : f32
    } : (!tile.tile<n=128, f32>) -> !tile.tile<n=128, f32>
    tile.next %m : !tile.tile<n=128, f32>
  }
  tile.store %w, %to : !tile.tile<n=128, f32>, !tile.view<n=128, f32>
  tile.return
}

// -----

tile.kernel @condition(%x: !ncd.array<n=128, f32>) grid [] warps 4 outputs 1 {
  %from = tile.view %x [n : 128] : !ncd.array<n=128, f32>
  %t = tile.load %from : !tile.view<n=128, f32> -> !tile.tile<n=128, f32>
  // expected-error @below {{expects a condition of i1, got 'f32'}}
  %w = tile.when %t : !tile.tile<n=128, f32> otherwise(%t : !tile.tile<n=128, f32>) {
    tile.next %t : !tile.tile<n=128, f32>
  }
  tile.return
}

// -----

tile.kernel @next(%x: !ncd.array<n=128, i1>, %y: !ncd.array<n=128, f32>) grid [] warps 4 outputs 1 {
  %from = tile.view %y [n : 128] : !ncd.array<n=128, f32>
  %t = tile.load %from : !tile.view<n=128, f32> -> !tile.tile<n=128, f32>
  %c = tile.map %t {
  ^bb0(%e: f32):
    %zero = arith.constant 0.0 : f32
    %r = arith.cmpf ogt, %e, %zero : f32
    tile.yield %r : i1
  } : (!tile.tile<n=128, f32>) -> !tile.tile<n=128, i1>
  // expected-error @below {{expects tile.next of as many tiles as are in 'otherwise', of the same types}}
  %w = tile.when %c : !tile.tile<n=128, i1> otherwise(%t : !tile.tile<n=128, f32>) {
    tile.next
  }
  tile.return
}
