// RUN: napkin-opt %s --ncd-choose-instructions | FileCheck %s

// Kernels written by hand: who has the rows, how warps share them, and where the
// factors come from.

!a = !ncd.array<m=256, k=64, bf16>
!b = !ncd.array<k=64, n=256, bf16>
!c = !ncd.array<m=256, n=256, f32>

// Without reductions 8 warps stand 4 x 2 over 128 x 64: shares of 32 x 32 read least.
// CHECK-LABEL: @square
// CHECK: as <"mma.m16n8k16.bf16", rows = m, columns = n, summed = k, warps = [4, 2], from = [shared, shared]>
ncd.diagram @square(%a: !a, %b: !b) -> !c {
  %o = ncd.kernel (%a = %a, %b = %b : !a, !b) -> (!c) attributes {group = #ncd.partition<m=128, n=64>, warps = 8 : i32} {
    %c = ncd.contract %a, %b over [k] : !a, !b -> !c
    ncd.yield %c : !c
  }
  ncd.return %o : !c
}

// What the kernel says goes before: the columns of the left factor are its rows now.
// CHECK-LABEL: @said
// CHECK: as <"mma.m16n8k16.bf16", rows = n, columns = m, summed = k, warps = [2, 4], from = [shared, shared]>
ncd.diagram @said(%a: !a, %b: !b) -> !c {
  %o = ncd.kernel (%a = %a, %b = %b : !a, !b) -> (!c) attributes {group = #ncd.partition<m=128, n=64>, warps = 8 : i32, rows = "n", row_warps = 2 : i32} {
    %c = ncd.contract %a, %b over [k] : !a, !b -> !c
    ncd.yield %c : !c
  }
  ncd.return %o : !c
}

// Warps that have too few rows for each share columns.
// CHECK-LABEL: @few_rows
// CHECK: rows = m, columns = n, summed = k, warps = [1, 4]
ncd.diagram @few_rows(%a: !a, %b: !b) -> !c {
  %o = ncd.kernel (%a = %a, %b = %b : !a, !b) -> (!c) attributes {group = #ncd.partition<m=16, n=256>, warps = 4 : i32} {
    %c = ncd.contract %a, %b over [k] : !a, !b -> !c
    ncd.yield %c : !c
  }
  ncd.return %o : !c
}

// A sum along the rows wants them whole in a warp.
// CHECK-LABEL: @sums
// CHECK: rows = m, columns = n, summed = k, warps = [4, 1]
ncd.diagram @sums(%a: !a, %b: !b) -> !ncd.array<m=256, f32> {
  %o = ncd.kernel (%a = %a, %b = %b : !a, !b) -> (!ncd.array<m=256, f32>) attributes {group = #ncd.partition<m=64>, warps = 4 : i32} {
    %c = ncd.contract %a, %b over [k] : !a, !b -> !c
    %s = ncd.reduce sum %c over [n] : !c -> !ncd.array<m=256, f32>
    ncd.yield %s : !ncd.array<m=256, f32>
  }
  ncd.return %o : !ncd.array<m=256, f32>
}

// A factor that was computed is in registers; the rows of the first product, which most
// products keep, are those of the second.
// CHECK-LABEL: @chain
// CHECK: %[[S:.*]] = ncd.contract {{.*}} as <"mma.m16n8k16.bf16", rows = m, columns = n, summed = k, warps = [4, 1], from = [shared, shared]>
// CHECK: ncd.contract %[[S]], {{.*}} as <"mma.m16n8k16.bf16", rows = m, columns = j, summed = n, warps = [4, 1], from = [registers, shared]>
ncd.diagram @chain(%a: !a, %b: !b, %e: !ncd.array<n=256, j=64, bf16>) -> !ncd.array<m=256, j=64, f32> {
  %o = ncd.kernel (%a = %a, %b = %b, %e = %e : !a, !b, !ncd.array<n=256, j=64, bf16>) -> (!ncd.array<m=256, j=64, f32>) attributes {group = #ncd.partition<m=64>, warps = 4 : i32} {
    %c = ncd.contract %a, %b over [k] : !a, !b -> !ncd.array<m=256, n=256, bf16>
    %f = ncd.contract %c, %e over [n] : !ncd.array<m=256, n=256, bf16>, !ncd.array<n=256, j=64, bf16> -> !ncd.array<m=256, j=64, f32>
    ncd.yield %f : !ncd.array<m=256, j=64, f32>
  }
  ncd.return %o : !ncd.array<m=256, j=64, f32>
}

// In a stream over n the rows stay in registers, and chunks are read from shared memory.
// CHECK-LABEL: @stream
// CHECK: as <"mma.m16n8k16.bf16", rows = m, columns = n, summed = k, warps = [4, 1], from = [registers, shared]>
ncd.diagram @stream(%a: !a, %b: !b) -> !ncd.array<m=256, f32> {
  %o = ncd.kernel (%a = %a, %b = %b : !a, !b) -> (!ncd.array<m=256, f32>) attributes {group = #ncd.partition<m=64>, stream = #ncd.partition<n=32>, warps = 4 : i32} {
    %s = ncd.stream "n" ins(%b : !b) -> (!ncd.array<m=256, f32>) state(!ncd.array<m=256, f32>) init {
      %z = ncd.map {
        %zero = arith.constant 0.0 : f32
        ncd.yield %zero : f32
      } : -> !ncd.array<m=256, f32>
      ncd.yield %z : !ncd.array<m=256, f32>
    } step {
    ^bb0(%t: !ncd.array<m=256, f32>, %b0: !b):
      %c = ncd.contract %a, %b0 over [k] : !a, !b -> !c
      %r = ncd.reduce sum %c over [n] : !c -> !ncd.array<m=256, f32>
      %u = ncd.map %t, %r {
      ^bb0(%x: f32, %y: f32):
        %v = arith.addf %x, %y : f32
        ncd.yield %v : f32
      } : !ncd.array<m=256, f32>, !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
      ncd.yield %u : !ncd.array<m=256, f32>
    } merge {
    ^bb0(%x: !ncd.array<m=256, f32>, %y: !ncd.array<m=256, f32>):
      %u = ncd.map %x, %y {
      ^bb0(%l: f32, %r: f32):
        %v = arith.addf %l, %r : f32
        ncd.yield %v : f32
      } : !ncd.array<m=256, f32>, !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
      ncd.yield %u : !ncd.array<m=256, f32>
    } finish {
    ^bb0(%t: !ncd.array<m=256, f32>):
      ncd.yield %t : !ncd.array<m=256, f32>
    }
    ncd.yield %s : !ncd.array<m=256, f32>
  }
  ncd.return %o : !ncd.array<m=256, f32>
}

// Unless the kernel says that each step reads them again.
// CHECK-LABEL: @again
// CHECK: as <"mma.m16n8k16.bf16", rows = m, columns = n, summed = k, warps = [4, 1], from = [shared, shared]>
ncd.diagram @again(%a: !a, %b: !b) -> !ncd.array<m=256, f32> {
  %o = ncd.kernel (%a = %a, %b = %b : !a, !b) -> (!ncd.array<m=256, f32>) attributes {group = #ncd.partition<m=64>, stream = #ncd.partition<n=32>, warps = 4 : i32, reread = array<i32: 0>} {
    %s = ncd.stream "n" ins(%b : !b) -> (!ncd.array<m=256, f32>) state(!ncd.array<m=256, f32>) init {
      %z = ncd.map {
        %zero = arith.constant 0.0 : f32
        ncd.yield %zero : f32
      } : -> !ncd.array<m=256, f32>
      ncd.yield %z : !ncd.array<m=256, f32>
    } step {
    ^bb0(%t: !ncd.array<m=256, f32>, %b0: !b):
      %c = ncd.contract %a, %b0 over [k] : !a, !b -> !c
      %r = ncd.reduce sum %c over [n] : !c -> !ncd.array<m=256, f32>
      %u = ncd.map %t, %r {
      ^bb0(%x: f32, %y: f32):
        %v = arith.addf %x, %y : f32
        ncd.yield %v : f32
      } : !ncd.array<m=256, f32>, !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
      ncd.yield %u : !ncd.array<m=256, f32>
    } merge {
    ^bb0(%x: !ncd.array<m=256, f32>, %y: !ncd.array<m=256, f32>):
      %u = ncd.map %x, %y {
      ^bb0(%l: f32, %r: f32):
        %v = arith.addf %l, %r : f32
        ncd.yield %v : f32
      } : !ncd.array<m=256, f32>, !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
      ncd.yield %u : !ncd.array<m=256, f32>
    } finish {
    ^bb0(%t: !ncd.array<m=256, f32>):
      ncd.yield %t : !ncd.array<m=256, f32>
    }
    ncd.yield %s : !ncd.array<m=256, f32>
  }
  ncd.return %o : !ncd.array<m=256, f32>
}

// What is said on a contract stays.
// CHECK-LABEL: @kept
// CHECK: warps = [1, 4], from = [registers, registers]
ncd.diagram @kept(%a: !a, %b: !b) -> !c {
  %o = ncd.kernel (%a = %a, %b = %b : !a, !b) -> (!c) attributes {group = #ncd.partition<m=64, n=64>, warps = 4 : i32} {
    %c = ncd.contract %a, %b over [k] as <"mma.m16n8k16.bf16", rows = m, columns = n, summed = k, warps = [1, 4], from = [registers, registers]> : !a, !b -> !c
    ncd.yield %c : !c
  }
  ncd.return %o : !c
}
