// RUN: napkin-opt %s --split-input-file --verify-diagnostics

!x = !ncd.array<n=256, m=4, f32>
tile.kernel @k(%x: !x) grid [n = %n : 128 of 256] warps 4 outputs 1 {
  // expected-error @below {{expects axis 'm' of '!ncd.array<n=256, m=4, f32>' as number 2; a view names every axis of its array in order}}
  %v = tile.view %x [n = %n : 128] : !x
  tile.return
}

// -----

!x = !ncd.array<n=256, m=4, f32>
tile.kernel @k(%x: !x) grid [n = %n : 128 of 256] warps 4 outputs 1 {
  // expected-error @below {{expects axis 'n' of '!ncd.array<n=256, m=4, f32>' as number 1}}
  %v = tile.view %x [m : 4, n = %n : 128] : !x
  tile.return
}

// -----

!x = !ncd.array<n=256, f32>
tile.kernel @k(%x: !x) grid [n = %n : 128 of 256] warps 4 outputs 1 {
  // expected-error @below {{axis 'd' is not an axis of the array}}
  %v = tile.view %x [n = %n : 128, d : 4] : !x
  tile.return
}

// -----

!x = !ncd.array<n=256, f32>
tile.kernel @k(%x: !x) grid [n = %n : 128 of 256] warps 4 outputs 1 {
  // expected-error @below {{axis 'n' has an extent of 0; expects a power of two or a multiple of 16}}
  %v = tile.view %x [n = %n : 0] : !x
  tile.return
}

// -----

!x = !ncd.array<n=256, f32>
tile.kernel @k(%x: !x, %p: !ncd.array<n=256, f32>) grid [n = %n : 128 of 256] warps 4 outputs 1 {
  // expected-error @below {{positions along 'n' are looked up in an array of i32 with that one axis, got '!ncd.array<n=256, f32>'}}
  %v = tile.view %x [n = %n : 128] (n by %p) : !x, !x
  tile.return
}

// -----

!x = !ncd.array<n=256, f32>
tile.kernel @k(%x: !x, %p: !ncd.array<n=256, i32>) grid [n = %n : 128 of 256] warps 4 outputs 1 {
  // expected-error @below {{axis 'm' is not an axis of the array}}
  %v = tile.view %x [n = %n : 128] (m by %p) : !x, !ncd.array<n=256, i32>
  tile.return
}

// -----

!x = !ncd.array<n=256, f32>
tile.kernel @k(%x: !x) grid [n = %n : 128 of 256] warps 4 outputs 1 {
  %v = tile.view %x [n = %n : 128] : !x
  // expected-error @below {{expects the axes, sizes and elements of '!tile.view<n=128, f32>', got '!tile.tile<n=128, bf16>'}}
  %t = tile.load %v : !tile.view<n=128, f32> -> !tile.tile<n=128, bf16>
  tile.return
}

// -----

!x = !ncd.array<n=256, f32>
tile.kernel @k(%x: !x, %o: !x) grid [n = %n : 128 of 256] warps 4 outputs 1 {
  %v = tile.view %x [n = %n : 128] : !x
  %t = tile.load %v : !tile.view<n=128, f32> -> !tile.tile<n=128, f32>
  // expected-error @below {{writes argument 0 of the kernel, which is only read; the last 1 are written}}
  tile.store %t, %v : !tile.tile<n=128, f32>, !tile.view<n=128, f32>
  tile.return
}

// -----

!x = !ncd.array<n=256, f32>
tile.kernel @k(%x: !x, %p: !ncd.array<n=256, i32>, %o: !x) grid [n = %n : 128 of 256] warps 4 outputs 1 {
  %v = tile.view %x [n = %n : 128] : !x
  %t = tile.load %v : !tile.view<n=128, f32> -> !tile.tile<n=128, f32>
  %to = tile.view %o [n = %n : 128] (n by %p) : !x, !ncd.array<n=256, i32>
  // expected-error @below {{cannot write through an index array}}
  tile.store %t, %to : !tile.tile<n=128, f32>, !tile.view<n=128, f32>
  tile.return
}

// -----

tile.kernel @k(%p: !ncd.array<n=256, i64>, %x: !ncd.array<n=256, f32>) grid [n = %n : 128 of 256] warps 4 outputs 1 {
  // expected-error @below {{expects an array of i32 with one axis, got '!ncd.array<n=256, i64>'}}
  %e = tile.entry %p[%n] : !ncd.array<n=256, i64>
  tile.return
}
