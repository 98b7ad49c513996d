// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{expects between 1 and 1 outputs, got 2}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) group #ncd.partition<n=128> order ["n"] warps 4 outputs 2 {
  tile.return
}

// -----

// expected-error @below {{expects a power of two of at most 32 warps, got 3}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) group #ncd.partition<n=128> order ["n"] warps 3 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{expects `order` to name every axis of `group`}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) group #ncd.partition<n=128> order [] warps 4 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{axis 'm' of `order` is not in `group`}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) group #ncd.partition<n=128> order ["m"] warps 4 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{group axis 'm' is carried by no argument}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) group #ncd.partition<m=128> order ["m"] warps 4 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{expects arrays as arguments, got 'f32'}}
tile.kernel @k(%x: f32) group #ncd.partition<> order [] warps 4 outputs 1 {
  tile.return
}

// -----

tile.kernel @k(%x: !ncd.array<n=256, f32>) group #ncd.partition<n=128> order ["n"] warps 4 outputs 1 {
  // expected-error @below {{tile axis 'm' is not an axis of the array}}
  %t = tile.load %x : !ncd.array<n=256, f32> -> !tile.tile<m=128, f32>
  tile.return
}

// -----

tile.kernel @k(%x: !ncd.array<n=256, m=4, f32>) group #ncd.partition<n=128> order ["n"] warps 4 outputs 1 {
  // expected-error @below {{tile axis 'n' is not in the array's order}}
  %t = tile.load %x : !ncd.array<n=256, m=4, f32> -> !tile.tile<m=4, n=128, f32>
  tile.return
}

// -----

tile.kernel @k(%x: !ncd.array<n=256, f32>) group #ncd.partition<n=128> order ["n"] warps 4 outputs 1 {
  // expected-error @below {{expects elements of 'f32', got 'bf16'}}
  %t = tile.load %x : !ncd.array<n=256, f32> -> !tile.tile<n=128, bf16>
  tile.return
}

// -----

tile.kernel @k(%x: !ncd.array<n=256, f32>, %i: !ncd.array<n=256, f32>) group #ncd.partition<n=128> order ["n"] warps 4 outputs 1 {
  %c = arith.constant 0 : index
  // expected-error @below {{axis 'm' in `at` is not an axis of the array}}
  %t = tile.load %x at ["m" = %c] : !ncd.array<n=256, f32> -> !tile.tile<n=128, f32>
  tile.return
}

// -----

tile.kernel @k(%x: !ncd.array<n=256, f32>) group #ncd.partition<n=128> order ["n"] warps 4 outputs 1 {
  %c = arith.constant 0 : index
  %b = tile.alloc : !tile.buffer<1 x (n=128), f32>
  // expected-error @below {{expects the buffer's axes, sizes and elements}}
  %t = tile.read %b[%c] : !tile.buffer<1 x (n=128), f32> -> !tile.tile<n=64, f32>
  tile.return
}
