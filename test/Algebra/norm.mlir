// RUN: napkin-opt --ncd-decompose --ncd-derive-stream %s | FileCheck %s

// A norm before a contract: two plain sums in one pass, the root at the end.
// The product with the gain is rounded where the source rounds its result.

!x = !ncd.array<m=256, k=512, bf16>
!g = !ncd.array<k=512, bf16>
!w = !ncd.array<k=512, n=128, bf16>
!o = !ncd.array<m=256, n=128, bf16>

// CHECK-LABEL: ncd.diagram @rms
ncd.diagram @rms(%x: !x, %g: !g, %w: !w) -> !o {
  %r = ncd.kernel (%x1 = %x, %g1 = %g, %w1 = %w : !x, !g, !w) -> (!o)
      attributes {stream = #ncd.partition<k=64>} {
    %y = ncd.rms_norm %x1 over [k] eps 1.0e-6 gain(%g1 : !g) : !x -> !x
    %o = ncd.contract %y, %w1 over [k] : !x, !w -> !o
    ncd.yield %o : !o
  }
  ncd.return %r : !o
}

// CHECK: ncd.stream "k"
// CHECK-SAME: state(!ncd.array<m=256, f32>, !ncd.array<m=256, n=128, f32>)
// CHECK-SAME: gauges ["a0 = sum_k (x*x)", "a1 = sum_k (bf16((x*g))*w)"]
// CHECK: step
// CHECK-NEXT: ^bb0(%{{.*}}: {{.*}}, %{{.*}}: {{.*}}, %[[X:.*]]: !ncd.array<m=256, k=512, bf16>, %[[G:.*]]: {{.*}}, %[[W:.*]]: !ncd.array<k=512, n=128, bf16>):
// CHECK: ncd.reduce sum
// CHECK: %[[Y:.*]] = ncd.map %[[X]], %[[G]] {
// CHECK: arith.mulf
// CHECK-NEXT: arith.truncf
// CHECK: ncd.contract %[[Y]], %[[W]] over [k]
// CHECK-NOT: rsqrt
// CHECK: finish
// CHECK: math.rsqrt
// CHECK: } : !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
// CHECK: arith.mulf
// CHECK-NEXT: arith.truncf

// Without a gain the operand is what lies in memory: no map, no rounding.

// CHECK-LABEL: ncd.diagram @plain_rms
ncd.diagram @plain_rms(%x: !x, %w: !w) -> !o {
  %r = ncd.kernel (%x1 = %x, %w1 = %w : !x, !w) -> (!o)
      attributes {stream = #ncd.partition<k=64>} {
    %y = ncd.rms_norm %x1 over [k] eps 1.0e-6 : !x -> !x
    %o = ncd.contract %y, %w1 over [k] : !x, !w -> !o
    ncd.yield %o : !o
  }
  ncd.return %r : !o
}

// CHECK: step
// CHECK-NEXT: ^bb0(%{{.*}}: {{.*}}, %{{.*}}: {{.*}}, %[[X:.*]]: !ncd.array<m=256, k=512, bf16>, %[[W:.*]]: !ncd.array<k=512, n=128, bf16>):
// CHECK: ncd.contract %[[X]], %[[W]] over [k]
// CHECK: finish

// Two results leave the loop; what joins them stays after it.

!t = !ncd.array<q=64, x=512, f32>
!v = !ncd.array<q=64, f32>

// CHECK-LABEL: ncd.diagram @logsumexp
ncd.diagram @logsumexp(%t: !t) -> !v {
  %r = ncd.kernel (%t1 = %t : !t) -> (!v)
      attributes {stream = #ncd.partition<x=64>} {
    %l = ncd.logsumexp %t1 over [x] : !t -> !v
    ncd.yield %l : !v
  }
  ncd.return %r : !v
}

// CHECK: %[[R:.*]]:2 = ncd.stream "x"
// CHECK-SAME: gauges ["a0 = max_x t", "a1 = sum_x exp(t); gauge exp(-a0)"]
// CHECK: step
// CHECK: ncd.reduce max
// CHECK: arith.subf
// CHECK-NEXT: arith.constant 1.44269
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: math.exp2
// CHECK: finish
// CHECK: %[[M:.*]] = ncd.map %[[R]]#0
// CHECK: ncd.map %[[M]], %[[R]]#1
// CHECK: math.log

// Differences that are multiplied are taken from the mean of the first chunk.

!f = !ncd.array<m=8, k=512, f32>
!n = !ncd.array<k=512, n=16, f32>
!y = !ncd.array<m=8, n=16, f32>

// CHECK-LABEL: ncd.diagram @layer
ncd.diagram @layer(%x: !f, %w: !n) -> !y {
  %r = ncd.kernel (%x1 = %x, %w1 = %w : !f, !n) -> (!y)
      attributes {stream = #ncd.partition<k=64>} {
    %y = ncd.layer_norm %x1 over [k] eps 1.0e-5 : !f -> !f
    %o = ncd.contract %y, %w1 over [k] : !f, !n -> !y
    ncd.yield %o : !y
  }
  ncd.return %r : !y
}

// CHECK: ncd.stream "k"
// CHECK-SAME: "a2 = sum_k ((x-ref)*(x-ref)); shift a6"
// CHECK-SAME: "a4 = sum_k (w*(x-ref)); shift a6", "a5 = count_k", "a6 = first_k x"]
// CHECK: step
// CHECK: %[[D:.*]] = ncd.map {{.*}} {
// CHECK: arith.subf
// CHECK: ncd.contract
// CHECK: finish
// CHECK: math.rsqrt

// Over two axes the reference is the maximum over both, which the source takes
// too: two members, none of which carries the axis that is not streamed.

!t3 = !ncd.array<q=64, c=8, x=512, f32>

// CHECK-LABEL: ncd.diagram @twoAxes
ncd.diagram @twoAxes(%t: !t3) -> !v {
  %r = ncd.kernel (%t1 = %t : !t3) -> (!v)
      attributes {stream = #ncd.partition<x=64>} {
    %l = ncd.logsumexp %t1 over [x, c] : !t3 -> !v
    ncd.yield %l : !v
  }
  ncd.return %r : !v
}

// CHECK: ncd.stream "x"
// CHECK-SAME: gauges ["a0 = max_x max_c t", "a1 = sum_x sum_c exp(t); gauge exp(-a0)"]
// CHECK: step
// CHECK: ncd.reduce max %{{.*}} over [{{[cx], [cx]}}] : {{.*}} -> !ncd.array<q=64, f32>
// CHECK: ncd.reduce sum %{{.*}} over [{{[cx], [cx]}}] : {{.*}} -> !ncd.array<q=64, f32>
// CHECK: merge
