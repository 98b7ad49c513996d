// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// Axes of no product.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<m=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{expects a (rows, summed), b (columns, summed) and an accumulator (rows, columns), in any order}}
  %p = tile.mma %a, %b, %c by "mma.m16n8k16.bf16" : !a, !b, !c
  tile.return
}

// -----

// Sizes that differ.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=32, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{expects equal sizes of 'm', 'n' and 'k' in all operands}}
  %p = tile.mma %a, %b, %c by "mma.m16n8k16.bf16" : !a, !b, !c
  tile.return
}

// -----

// Columns that differ.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=32, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{expects equal sizes of 'm', 'n' and 'k' in all operands}}
  %p = tile.mma %a, %b, %c by "mma.m16n8k16.bf16" : !a, !b, !c
  tile.return
}

// -----

// An instruction that no target has.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{no target has an instruction 'mma.m1n1k1'}}
  %p = tile.mma %a, %b, %c by "mma.m1n1k1" : !a, !b, !c
  tile.return
}

// -----

// Elements that it does not multiply.
!a = !tile.tile<m=16, k=16, f16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : f16
    tile.yield %z : f16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{'mma.m16n8k16.bf16' multiplies bf16 and bf16 into f32, got 'f16' and 'bf16' into 'f32'}}
  %p = tile.mma %a, %b, %c by "mma.m16n8k16.bf16" : !a, !b, !c
  tile.return
}

// -----

// Three numbers.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{expects two powers of two in 'warps', how many share the rows and how many the columns}}
  %p = tile.mma %a, %b, %c by "mma.m16n8k16.bf16" warps [2, 1, 1] : !a, !b, !c
  tile.return
}

// -----

// No power of two.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{expects two powers of two in 'warps', how many share the rows and how many the columns}}
  %p = tile.mma %a, %b, %c by "mma.m16n8k16.bf16" warps [3, 1] : !a, !b, !c
  tile.return
}

// -----

// Other warps than the kernel's.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{shares its work among 2 x 2 = 4 warps, and the kernel has 2}}
  %p = tile.mma %a, %b, %c by "mma.m16n8k16.bf16" warps [2, 2] : !a, !b, !c
  tile.return
}

// -----

// Axes of no product.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<m=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{expects a (rows, summed), b (columns, summed) and an accumulator (rows, columns), in any order}}
  %p = tile.mma.start %a, %b, %c by "mma.m16n8k16.bf16" : !a, !b, !c
  tile.return
}

// -----

// Sizes that differ.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=32, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{expects equal sizes of 'm', 'n' and 'k' in all operands}}
  %p = tile.mma.start %a, %b, %c by "mma.m16n8k16.bf16" : !a, !b, !c
  tile.return
}

// -----

// Columns that differ.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=32, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{expects equal sizes of 'm', 'n' and 'k' in all operands}}
  %p = tile.mma.start %a, %b, %c by "mma.m16n8k16.bf16" : !a, !b, !c
  tile.return
}

// -----

// An instruction that no target has.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{no target has an instruction 'mma.m1n1k1'}}
  %p = tile.mma.start %a, %b, %c by "mma.m1n1k1" : !a, !b, !c
  tile.return
}

// -----

// Elements that it does not multiply.
!a = !tile.tile<m=16, k=16, f16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : f16
    tile.yield %z : f16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{'mma.m16n8k16.bf16' multiplies bf16 and bf16 into f32, got 'f16' and 'bf16' into 'f32'}}
  %p = tile.mma.start %a, %b, %c by "mma.m16n8k16.bf16" : !a, !b, !c
  tile.return
}

// -----

// Three numbers.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{expects two powers of two in 'warps', how many share the rows and how many the columns}}
  %p = tile.mma.start %a, %b, %c by "mma.m16n8k16.bf16" warps [2, 1, 1] : !a, !b, !c
  tile.return
}

// -----

// No power of two.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{expects two powers of two in 'warps', how many share the rows and how many the columns}}
  %p = tile.mma.start %a, %b, %c by "mma.m16n8k16.bf16" warps [3, 1] : !a, !b, !c
  tile.return
}

// -----

// Other warps than the kernel's.
!a = !tile.tile<m=16, k=16, bf16>
!b = !tile.tile<n=16, k=16, bf16>
!c = !tile.tile<m=16, n=16, f32>
tile.kernel @k(%x: !ncd.array<m=16, f32>) grid [] warps 2 outputs 1 {
  %a = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !a
  %b = tile.map {
    %z = arith.constant 0.0 : bf16
    tile.yield %z : bf16
  } : () -> !b
  %c = tile.map {
    %z = arith.constant 0.0 : f32
    tile.yield %z : f32
  } : () -> !c
  // expected-error @below {{shares its work among 2 x 2 = 4 warps, and the kernel has 2}}
  %p = tile.mma.start %a, %b, %c by "mma.m16n8k16.bf16" warps [2, 2] : !a, !b, !c
  tile.return
}
