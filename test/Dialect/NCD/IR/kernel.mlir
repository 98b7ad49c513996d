// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

// Every decoration; the region's arguments may take the names of the diagram's.
// CHECK-LABEL: ncd.diagram @product
// CHECK: ncd.kernel (%[[X:.*]] = %x, %[[Y:.*]] = %y : !ncd.array<m=256, k=64, f16>, !ncd.array<k=64, n=256, f16>) -> (!ncd.array<m=256, n=256, f32>)
// CHECK-SAME: entry = "product"
// CHECK-SAME: group = #ncd.partition<m=128, n=100>
// CHECK-SAME: hardware = #ncd.hardware<"a100_80gb">
// CHECK-SAME: order = ["n", "m"]
// CHECK-SAME: stages = 3 : i32
// CHECK-SAME: stream = #ncd.partition<k=32>
// CHECK-SAME: warps = 8 : i32
// CHECK-NEXT: ncd.contract %[[X]], %[[Y]] over [k]
// CHECK-NEXT: ncd.yield
ncd.diagram @product(%x: !ncd.array<m=256, k=64, f16>, %y: !ncd.array<k=64, n=256, f16>) -> !ncd.array<m=256, n=256, f32> {
  %o = ncd.kernel (%x = %x, %y = %y : !ncd.array<m=256, k=64, f16>, !ncd.array<k=64, n=256, f16>)
      -> (!ncd.array<m=256, n=256, f32>)
      attributes {group = #ncd.partition<m=128, n=100>, stream = #ncd.partition<k=32>,
                  order = ["n", "m"], hardware = #ncd.hardware<"a100_80gb">,
                  warps = 8 : i32, stages = 3 : i32, entry = "product"} {
    %z = ncd.contract %x, %y over [k]
      : !ncd.array<m=256, k=64, f16>, !ncd.array<k=64, n=256, f16> -> !ncd.array<m=256, n=256, f32>
    ncd.yield %z : !ncd.array<m=256, n=256, f32>
  }
  ncd.return %o : !ncd.array<m=256, n=256, f32>
}

// No decoration, no operand, two results, and an attribute of somebody else's.
// CHECK-LABEL: ncd.diagram @bare
// CHECK: ncd.kernel () -> (!ncd.array<n=4, f32>, !ncd.array<n=4, f32>) attributes {napkin.note = 1 : i64} {
ncd.diagram @bare() {
  %o:2 = ncd.kernel () -> (!ncd.array<n=4, f32>, !ncd.array<n=4, f32>) attributes {napkin.note = 1} {
    %z = ncd.map {
      %c = arith.constant 1.0 : f32
      ncd.yield %c : f32
    } : -> !ncd.array<n=4, f32>
    ncd.yield %z, %z : !ncd.array<n=4, f32>, !ncd.array<n=4, f32>
  }
  ncd.return
}
