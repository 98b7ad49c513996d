// RUN: napkin-opt --ncd-decompose --ncd-derive-stream %s | FileCheck %s

// Where a quotient waits for the end, a member of the state says that nothing
// keeps it in the range of f32: sums of high powers, which a factor of a product
// keeps as they are written. Squares fit, whatever the assumed bound allows.

!s = !ncd.array<q=64, x=512, f32>
!l = !ncd.array<q=64, f32>
!p = !ncd.array<q=64, x=512, bf16>
!v = !ncd.array<x=512, d=64, bf16>
!o = !ncd.array<q=64, d=64, bf16>

// CHECK-LABEL: ncd.diagram @fourth
// CHECK: gauges ["a0 = sum_x ({{[^"]*}})", "a1 = sum_x (bf16({{[^"]*}})*v); may overflow"]
ncd.diagram @fourth(%s: !s, %v: !v) -> !o {
  %r = ncd.kernel (%t = %s, %w = %v : !s, !v) -> (!o)
      attributes {stream = #ncd.partition<x=64>} {
    %e = ncd.map %t {
    ^bb0(%u: f32):
      %2 = arith.mulf %u, %u : f32
      %4 = arith.mulf %2, %2 : f32
      ncd.yield %4 : f32
    } : !s -> !s
    %l = ncd.reduce sum %e over [x] : !s -> !l
    %p = ncd.map %e, %l {
    ^bb0(%a: f32, %b: f32):
      %c = arith.divf %a, %b : f32
      %d = arith.truncf %c : f32 to bf16
      ncd.yield %d : bf16
    } : !s, !l -> !p
    %o = ncd.contract %p, %w over [x] : !p, !v -> !o
    ncd.yield %o : !o
  }
  ncd.return %r : !o
}

// CHECK-LABEL: ncd.diagram @second
// CHECK: gauges ["a0 = sum_x ({{[^"]*}})", "a1 = sum_x (bf16({{[^"]*}})*v)"]
ncd.diagram @second(%s: !s, %v: !v) -> !o {
  %r = ncd.kernel (%t = %s, %w = %v : !s, !v) -> (!o)
      attributes {stream = #ncd.partition<x=64>} {
    %e = ncd.map %t {
    ^bb0(%u: f32):
      %2 = arith.mulf %u, %u : f32
      ncd.yield %2 : f32
    } : !s -> !s
    %l = ncd.reduce sum %e over [x] : !s -> !l
    %p = ncd.map %e, %l {
    ^bb0(%a: f32, %b: f32):
      %c = arith.divf %a, %b : f32
      %d = arith.truncf %c : f32 to bf16
      ncd.yield %d : bf16
    } : !s, !l -> !p
    %o = ncd.contract %p, %w over [x] : !p, !v -> !o
    ncd.yield %o : !o
  }
  ncd.return %r : !o
}
