// RUN: napkin-opt %s | napkin-opt | FileCheck %s

// Operations that see axes in another way, and arguments that lie with strides.

// CHECK-LABEL: @packed
// CHECK-SAME: !ncd.array<t=3:8192, h=2:64, s=64:128, d=64:1, bf16>
ncd.diagram @packed(%qkv: !ncd.array<t=3:8192, h=2:64, s=64:128, d=64, bf16>)
    -> !ncd.array<s=64, h=2, d=64, bf16> {
  // CHECK: ncd.slice %{{.*}} "t" from 2 :
  %v = ncd.slice %qkv "t" from 2
    : !ncd.array<t=3:8192, h=2:64, s=64:128, d=64, bf16> -> !ncd.array<h=2, s=64, d=64, bf16>
  // CHECK: ncd.join %{{.*}} [h, d] into "e"
  %e = ncd.join %v [h, d] into "e"
    : !ncd.array<h=2, s=64, d=64, bf16> -> !ncd.array<s=64, e=128, bf16>
  // CHECK: ncd.split %{{.*}} "e" into [h, d]
  %y = ncd.split %e "e" into [h, d]
    : !ncd.array<s=64, e=128, bf16> -> !ncd.array<s=64, h=2, d=64, bf16>
  ncd.return %y : !ncd.array<s=64, h=2, d=64, bf16>
}

// CHECK-LABEL: @halves
ncd.diagram @halves(%x: !ncd.array<x=8, half=2, p=4, f32>)
    -> !ncd.array<y=8, d=8, f32> {
  // CHECK: ncd.slice %{{.*}} "half" from 1 by -1 into "half"
  %other = ncd.slice %x "half" from 1 by -1 into "half"
    : !ncd.array<x=8, half=2, p=4, f32> -> !ncd.array<x=8, half=2, p=4, f32>
  // CHECK: ncd.slice %{{.*}} "half" from 0 :
  %first = ncd.slice %other "half" from 0
    : !ncd.array<x=8, half=2, p=4, f32> -> !ncd.array<x=8, p=4, f32>
  // CHECK: ncd.concat %{{.*}}, %{{.*}} [p, p] into "d"
  %d = ncd.concat %first, %first [p, p] into "d"
    : !ncd.array<x=8, p=4, f32>, !ncd.array<x=8, p=4, f32> -> !ncd.array<x=8, d=8, f32>
  // CHECK: ncd.rename %{{.*}} [x] into [y]
  %y = ncd.rename %d [x] into [y]
    : !ncd.array<x=8, d=8, f32> -> !ncd.array<y=8, d=8, f32>
  ncd.return %y : !ncd.array<y=8, d=8, f32>
}

// Strides that are those of dense rows are not written.
// CHECK-LABEL: @dense
// CHECK-SAME: (%c: !ncd.array<x=16, c=24, bf16>)
ncd.diagram @dense(%c: !ncd.array<x=16:24, c=24:1, bf16>)
    -> !ncd.array<x=16, v=8, bf16> {
  // CHECK: ncd.view %{{.*}} from 8 by [24, 1]
  %v = ncd.view %c from 8 by [24, 1]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, v=8, bf16>
  ncd.return %v : !ncd.array<x=16, v=8, bf16>
}

// CHECK-LABEL: @seen
ncd.diagram @seen(%c: !ncd.array<x=16, c=24, bf16>, %q: !ncd.array<q=4, c=24, bf16>)
    -> !ncd.array<q=4, x=16, v=8, f32> {
  // CHECK: ncd.kernel (%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}} as !ncd.array<x=16, c=24, bf16> from 0 by [24, 1],
  // CHECK-SAME: %{{.*}} = %{{.*}} as !ncd.array<x=16, v=8, bf16> from 8 by [24, 1] within 1 :
  %o = ncd.kernel (%p = %q, %k = %c as !ncd.array<x=16, c=24, bf16> from 0 by [24, 1],
                   %v = %c as !ncd.array<x=16, v=8, bf16> from 8 by [24, 1] within 1
                   : !ncd.array<q=4, c=24, bf16>, !ncd.array<x=16, c=24, bf16>, !ncd.array<x=16, c=24, bf16>)
      -> (!ncd.array<q=4, x=16, v=8, f32>) attributes {warps = 4 : i32} {
    %s = ncd.contract %p, %k over [c]
      : !ncd.array<q=4, c=24, bf16>, !ncd.array<x=16, c=24, bf16> -> !ncd.array<q=4, x=16, bf16>
    %r = ncd.contract %s, %v over []
      : !ncd.array<q=4, x=16, bf16>, !ncd.array<x=16, v=8, bf16> -> !ncd.array<q=4, x=16, v=8, f32>
    ncd.yield %r : !ncd.array<q=4, x=16, v=8, f32>
  }
  ncd.return %o : !ncd.array<q=4, x=16, v=8, f32>
}
