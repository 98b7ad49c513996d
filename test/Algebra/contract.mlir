// RUN: napkin-opt --ncd-decompose --ncd-derive-stream %s | FileCheck %s

// A sum of products is its own accumulator; the operations on the result stay
// after the loop, those without the axis before it.

!a = !ncd.array<m=256, k=512, bf16>
!b = !ncd.array<k=512, n=128, bf16>
!c = !ncd.array<m=256, n=128, f32>
!r = !ncd.array<m=256, n=128, bf16>
!bias = !ncd.array<n=128, f32>

// CHECK-LABEL: ncd.diagram @product
ncd.diagram @product(%x: !a, %y: !b, %bias: !bias) -> !r {
  %o = ncd.kernel (%a = %x, %b = %y, %f = %bias : !a, !b, !bias) -> (!r)
      attributes {stream = #ncd.partition<k=64>} {
    %c = ncd.contract %a, %b over [k] : !a, !b -> !c
    %t = ncd.map %c, %f {
    ^bb0(%e: f32, %g: f32):
      %zero = arith.constant 0.0 : f32
      %s = arith.addf %e, %g : f32
      %m = arith.maximumf %s, %zero : f32
      %z = arith.truncf %m : f32 to bf16
      ncd.yield %z : bf16
    } : !c, !bias -> !r
    ncd.yield %t : !r
  }
  ncd.return %o : !r
}

// CHECK: %[[R:.*]] = ncd.stream "k" ins(%[[A:.*]], %[[B:.*]] : {{.*}}) -> (!ncd.array<m=256, n=128, f32>) state(!ncd.array<m=256, n=128, f32>) gauges ["a0 = sum_k (x*y)"]
// CHECK: step
// CHECK-NEXT: ^bb0(%[[ACC:.*]]: {{.*}}, %[[AC:.*]]: {{.*}}, %[[BC:.*]]: !ncd.array<k=512, n=128, bf16>):
// CHECK-NEXT: %[[P:.*]] = ncd.contract %[[AC]], %[[BC]] over [k]
// CHECK-NEXT: %[[N:.*]] = ncd.map %[[ACC]], %[[P]] {
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.addf
// CHECK-NEXT: ncd.yield
// CHECK-NEXT: }
// CHECK-NEXT: ncd.yield %[[N]]
// CHECK: finish
// CHECK-NEXT: ^bb0(%[[S:.*]]: !ncd.array<m=256, n=128, f32>):
// CHECK-NEXT: ncd.yield %[[S]]
// CHECK: ncd.map %[[R]], %{{.*}} {
// CHECK: arith.maximumf

// CHECK-LABEL: ncd.diagram @rounded
ncd.diagram @rounded(%x: !a, %y: !b) -> !r {
  %o = ncd.kernel (%a = %x, %b = %y : !a, !b) -> (!r)
      attributes {stream = #ncd.partition<k=64>} {
    %c = ncd.contract %a, %b over [k] : !a, !b -> !r
    ncd.yield %c : !r
  }
  ncd.return %o : !r
}

// CHECK: step
// CHECK: ncd.contract {{.*}} -> !ncd.array<m=256, n=128, f32>
// CHECK: finish
// CHECK: arith.truncf

// The first product streams along the axis that the second one sums.

!y = !ncd.array<k=64, b=256, bf16>
!x = !ncd.array<a=128, k=64, bf16>
!s = !ncd.array<a=128, b=256, bf16>
!w = !ncd.array<b=256, c=64, bf16>
!o = !ncd.array<a=128, c=64, bf16>

// CHECK-LABEL: ncd.diagram @chain
ncd.diagram @chain(%x: !x, %y: !y, %w: !w) -> !o {
  %o = ncd.kernel (%x1 = %x, %y1 = %y, %w1 = %w : !x, !y, !w) -> (!o)
      attributes {stream = #ncd.partition<b=64>} {
    %s = ncd.contract %x1, %y1 over [k] : !x, !y -> !s
    %t = ncd.contract %s, %w1 over [b] : !s, !w -> !o
    ncd.yield %t : !o
  }
  ncd.return %o : !o
}

// CHECK: ncd.kernel (%[[X:.*]] = %x, %[[Y:.*]] = %y, %[[W:.*]] = %w :
// CHECK: ncd.stream "b" ins(%[[Y]], %[[W]] :
// CHECK: step
// CHECK-NEXT: ^bb0(%[[ACC:.*]]: {{.*}}, %[[YC:.*]]: {{.*}}, %[[WC:.*]]: !ncd.array<b=256, c=64, bf16>):
// CHECK-NEXT: %[[S:.*]] = ncd.contract %[[X]], %[[YC]] over [k] {{.*}} -> !ncd.array<a=128, b=256, bf16>
// CHECK-NEXT: %[[T:.*]] = ncd.contract %[[S]], %[[WC]] over [b]
// CHECK-NEXT: ncd.map %[[ACC]], %[[T]]
// CHECK: finish
