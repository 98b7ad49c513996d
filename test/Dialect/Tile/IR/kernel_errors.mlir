// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{expects between 1 and 1 outputs, got 2}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) grid [n = %n : 128 of 256] warps 4 outputs 2 {
  tile.return
}

// -----

// expected-error @below {{expects a power of two of at most 32 warps, got 3}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) grid [n = %n : 128 of 256] warps 3 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{expects a power of two of at most 32 parts, got 64}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) grid [n = %n : 128 of 256] warps 4 outputs 1 attributes {parts = 64 : i32} {
  tile.return
}

// -----

// expected-error @below {{axis 'n' of the grid is named twice}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) grid [n = %n : 128 of 256, n = %m : 2 of 4] warps 4 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{axis 'n' of the grid has tiles of 0 of 256 positions; expects positive ones}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) grid [n = %n : 0 of 256] warps 4 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{expects arrays as arguments, got 'f32'}}
tile.kernel @k(%x: f32) grid [] warps 4 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{expects an index for each axis of the grid, got '!ncd.array<n=256, f32>'}}
"tile.kernel"() <{sym_name = "k", grid_axes = ["n"], grid_tiles = array<i64: 128>, grid_extents = array<i64: 256>, grid_groups = array<i64: 1>, warps = 4 : i32, outputs = 1 : i32}> ({
^bb0(%x: !ncd.array<n=256, f32>):
  "tile.return"() : () -> ()
}) : () -> ()

// -----

// expected-error @below {{expects a tile, an extent and a group for each axis of the grid}}
"tile.kernel"() <{sym_name = "k", grid_axes = ["n"], grid_tiles = array<i64: 128, 2>, grid_extents = array<i64: 256>, grid_groups = array<i64: 1>, warps = 4 : i32, outputs = 1 : i32}> ({
^bb0(%x: !ncd.array<n=256, f32>, %n: index):
  "tile.return"() : () -> ()
}) : () -> ()

// -----

// expected-error @below {{expects groups of one axis of the grid that is not the last}}
tile.kernel @groups(%x: !ncd.array<m=4, n=4, f32>) grid [m = %m : 1 of 4, n = %n : 1 of 4 in groups of 2] warps 1 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{axis 'm' of the grid is walked in groups of 0; expects at least 1}}
tile.kernel @groups(%x: !ncd.array<m=4, n=4, f32>) grid [m = %m : 1 of 4 in groups of 0, n = %n : 1 of 4] warps 1 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{expects an argument for each of 1 axes of the grid}}
"tile.kernel"() <{sym_name = "k", grid_axes = ["n"], grid_tiles = array<i64: 128>, grid_extents = array<i64: 256>, grid_groups = array<i64: 1>, warps = 4 : i32, outputs = 1 : i32}> ({
  "tile.return"() : () -> ()
}) : () -> ()

// -----

// expected-error @below {{expects arrays of static sizes, got '!ncd.array<n=?, f32>'}}
tile.kernel @k(%x: !ncd.array<n=?, f32>) grid [] warps 4 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{is walked by 0 persistent blocks; expects at least 1}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) grid [n = %n : 128 of 256] persistent 0 warps 4 outputs 1 {
  tile.return
}

// -----

// expected-error @below {{has a persistent grid without axes, so nothing to walk}}
tile.kernel @k(%x: !ncd.array<n=256, f32>) grid [] persistent 4 warps 4 outputs 1 {
  tile.return
}
