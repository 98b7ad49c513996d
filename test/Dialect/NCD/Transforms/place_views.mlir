// RUN: napkin-opt %s --ncd-place-views --canonicalize --cse | FileCheck %s

// Columns of a projection are heads, and rows of one X are queries and keys:
// splits and renames go up to the arguments.
// CHECK-LABEL: @projected
// CHECK-DAG: %[[W:.*]] = ncd.view %wk from 0 by [48, 16, 1] : {{.*}} -> !ncd.array<m=32, h=3, d=16, bf16>
// CHECK-DAG: %[[X:.*]] = ncd.view %x from 0 by [32, 1] : {{.*}} -> !ncd.array<t=64, m=32, bf16>
// CHECK: ncd.contract %[[X]], %[[W]] over [m] : {{.*}} -> !ncd.array<t=64, h=3, d=16, bf16>
// CHECK-NOT: ncd.split
// CHECK-NOT: ncd.rename
ncd.diagram @projected(%x: !ncd.array<s=64, m=32, bf16>, %q: !ncd.array<h=3, s=64, d=16, bf16>,
                       %wk: !ncd.array<m=32, e=48, bf16>) -> !ncd.array<h=3, s=64, t=64, f32> {
  %k = ncd.contract %x, %wk over [m]
    : !ncd.array<s=64, m=32, bf16>, !ncd.array<m=32, e=48, bf16> -> !ncd.array<s=64, e=48, bf16>
  %kh = ncd.split %k "e" into [h, d] : !ncd.array<s=64, e=48, bf16> -> !ncd.array<h=3, s=64, d=16, bf16>
  %kt = ncd.rename %kh [s] into [t] : !ncd.array<h=3, s=64, d=16, bf16> -> !ncd.array<h=3, t=64, d=16, bf16>
  %s = ncd.contract %q, %kt over [d]
    : !ncd.array<h=3, s=64, d=16, bf16>, !ncd.array<h=3, t=64, d=16, bf16> -> !ncd.array<h=3, s=64, t=64, f32>
  ncd.return %s : !ncd.array<h=3, s=64, t=64, f32>
}

// A name that the operation sums already steps aside.
// CHECK-LABEL: @taken
// CHECK-DAG: %[[X:.*]] = ncd.view %x from 0 by [16, 1] : {{.*}} -> !ncd.array<s=64, d_2=16, bf16>
// CHECK-DAG: %[[W:.*]] = ncd.view %w from 0 by [48, 16, 1] : {{.*}} -> !ncd.array<d_2=16, h=3, d=16, bf16>
// CHECK: ncd.contract %[[X]], %[[W]] over [d_2]
ncd.diagram @taken(%x: !ncd.array<s=64, d=16, bf16>, %w: !ncd.array<d=16, e=48, bf16>)
    -> !ncd.array<s=64, e=48, bf16> {
  %y = ncd.contract %x, %w over [d]
    : !ncd.array<s=64, d=16, bf16>, !ncd.array<d=16, e=48, bf16> -> !ncd.array<s=64, e=48, bf16>
  %z = ncd.split %y "e" into [h, d] : !ncd.array<s=64, e=48, bf16> -> !ncd.array<s=64, h=3, d=16, bf16>
  %m = ncd.map %z {
  ^bb0(%u: bf16):
    %n = arith.negf %u : bf16
    ncd.yield %n : bf16
  } : !ncd.array<s=64, h=3, d=16, bf16> -> !ncd.array<s=64, h=3, d=16, bf16>
  %r = ncd.join %m [h, d] into "e" : !ncd.array<s=64, h=3, d=16, bf16> -> !ncd.array<s=64, e=48, bf16>
  ncd.return %r : !ncd.array<s=64, e=48, bf16>
}

// A product along what is put together is the sum of the products of the parts, of
// different sizes too.
// CHECK-LABEL: @parts
// CHECK-DAG: %[[FIRST:.*]] = ncd.view %w from 0 by [16, 1] : {{.*}} -> !ncd.array<[[D:.*]]=16, n=16, f32>
// CHECK-DAG: %[[SECOND:.*]] = ncd.view %w from 256 by [16, 1] : {{.*}} -> !ncd.array<[[E:.*]]=8, n=16, f32>
// CHECK-DAG: %[[X:.*]] = ncd.contract %{{.*}}, %[[FIRST]] over [[[D]]]
// CHECK-DAG: %[[Y:.*]] = ncd.contract %{{.*}}, %[[SECOND]] over [[[E]]]
// CHECK: ncd.map %[[X]], %[[Y]]
// CHECK: arith.addf
ncd.diagram @parts(%a: !ncd.array<x=64, p=16, f32>, %b: !ncd.array<x=64, q=8, f32>,
                   %w: !ncd.array<d=24, n=16, f32>) -> !ncd.array<x=64, n=16, f32> {
  %c = ncd.concat %a, %b [p, q] into "d"
    : !ncd.array<x=64, p=16, f32>, !ncd.array<x=64, q=8, f32> -> !ncd.array<x=64, d=24, f32>
  %y = ncd.contract %c, %w over [d]
    : !ncd.array<x=64, d=24, f32>, !ncd.array<d=24, n=16, f32> -> !ncd.array<x=64, n=16, f32>
  ncd.return %y : !ncd.array<x=64, n=16, f32>
}

// Both factors are put together: each part meets its own, and the sums are rounded
// once.
// CHECK-LABEL: @rotated
// CHECK: %[[X:.*]] = ncd.contract %[[A:.*]], %[[C:.*]] over {{.*}} -> !ncd.array<x=64, y=64, f32>
// CHECK: %[[Y:.*]] = ncd.contract %{{.*}}, %{{.*}} over {{.*}} -> !ncd.array<x=64, y=64, f32>
// CHECK: ncd.map %[[X]], %[[Y]]
// CHECK: arith.truncf
ncd.diagram @rotated(%a: !ncd.array<x=64, p=16, bf16>, %c: !ncd.array<y=64, p=16, bf16>) -> !ncd.array<x=64, y=64, bf16> {
  %n = ncd.map %a {
  ^bb0(%u: bf16):
    %r = arith.negf %u : bf16
    ncd.yield %r : bf16
  } : !ncd.array<x=64, p=16, bf16> -> !ncd.array<x=64, p=16, bf16>
  %m = ncd.map %c {
  ^bb0(%u: bf16):
    %r = arith.negf %u : bf16
    ncd.yield %r : bf16
  } : !ncd.array<y=64, p=16, bf16> -> !ncd.array<y=64, p=16, bf16>
  %an = ncd.concat %a, %n [p, p] into "d"
    : !ncd.array<x=64, p=16, bf16>, !ncd.array<x=64, p=16, bf16> -> !ncd.array<x=64, d=32, bf16>
  %cm = ncd.concat %m, %c [p, p] into "d"
    : !ncd.array<y=64, p=16, bf16>, !ncd.array<y=64, p=16, bf16> -> !ncd.array<y=64, d=32, bf16>
  %s = ncd.contract %an, %cm over [d]
    : !ncd.array<x=64, d=32, bf16>, !ncd.array<y=64, d=32, bf16> -> !ncd.array<x=64, y=64, bf16>
  ncd.return %s : !ncd.array<x=64, y=64, bf16>
}

// Halves that are put together and kept are computed together.
// CHECK-LABEL: @halves
// CHECK: %[[STACKED:.*]] = ncd.map
// CHECK: ncd.index "d_2"
// CHECK: arith.select
// CHECK: -> !ncd.array<x=64, d_2=2, p=16, f32>
ncd.diagram @halves(%a: !ncd.array<x=64, p=16, f32>, %b: !ncd.array<x=64, p=16, f32>,
                    %w: !ncd.array<d=32, f32>) -> !ncd.array<x=64, d=32, f32> {
  %c = ncd.concat %a, %b [p, p] into "d"
    : !ncd.array<x=64, p=16, f32>, !ncd.array<x=64, p=16, f32> -> !ncd.array<x=64, d=32, f32>
  %y = ncd.map %c, %w {
  ^bb0(%u: f32, %v: f32):
    %r = arith.mulf %u, %v : f32
    ncd.yield %r : f32
  } : !ncd.array<x=64, d=32, f32>, !ncd.array<d=32, f32> -> !ncd.array<x=64, d=32, f32>
  ncd.return %y : !ncd.array<x=64, d=32, f32>
}

// A join of a result is the same memory, with the axes in the order of its type.
// CHECK-LABEL: @joined
// CHECK-SAME: -> !ncd.array<s=8, h=3, d=4, f32> attributes {ncd.declared = ({{.*}}) -> !ncd.array<s=8, e=12, f32>}
// CHECK: ncd.view %b from 0 by [4, 1] : {{.*}} -> !ncd.array<h=3, d=4, f32>
ncd.diagram @joined(%x: !ncd.array<h=3, s=8, d=4, f32>, %b: !ncd.array<e=12, f32>) -> !ncd.array<s=8, e=12, f32> {
  %m = ncd.map %x {
  ^bb0(%u: f32):
    %r = arith.negf %u : f32
    ncd.yield %r : f32
  } : !ncd.array<h=3, s=8, d=4, f32> -> !ncd.array<h=3, s=8, d=4, f32>
  %e = ncd.join %m [h, d] into "e" : !ncd.array<h=3, s=8, d=4, f32> -> !ncd.array<s=8, e=12, f32>
  %r = ncd.map %e, %b {
  ^bb0(%u: f32, %v: f32):
    %w = arith.addf %u, %v : f32
    ncd.yield %w : f32
  } : !ncd.array<s=8, e=12, f32>, !ncd.array<e=12, f32> -> !ncd.array<s=8, e=12, f32>
  ncd.return %r : !ncd.array<s=8, e=12, f32>
}

// Others read the whole: the view is one of what was written.
// CHECK-LABEL: @whole
// CHECK: %[[M:.*]] = ncd.map %x
// CHECK: %[[T:.*]] = ncd.view %[[M]] from 0 by [12, 1] : {{.*}} -> !ncd.array<t=8, e=12, f32>
// CHECK: ncd.contract %[[M]], %[[T]] over [e]
ncd.diagram @whole(%x: !ncd.array<s=8, e=12, f32>) -> !ncd.array<s=8, t=8, f32> {
  %m = ncd.map %x {
  ^bb0(%u: f32):
    %r = arith.negf %u : f32
    ncd.yield %r : f32
  } : !ncd.array<s=8, e=12, f32> -> !ncd.array<s=8, e=12, f32>
  %t = ncd.rename %m [s] into [t] : !ncd.array<s=8, e=12, f32> -> !ncd.array<t=8, e=12, f32>
  %c = ncd.contract %m, %t over [e]
    : !ncd.array<s=8, e=12, f32>, !ncd.array<t=8, e=12, f32> -> !ncd.array<s=8, t=8, f32>
  ncd.return %c : !ncd.array<s=8, t=8, f32>
}

// Positions along an axis that is sliced; one axis, joined and split otherwise.
// CHECK-LABEL: @positions
// CHECK: ncd.view %x from 18 by [1]
// CHECK: %[[THREE:.*]] = arith.constant 3 : index
// CHECK: %[[B:.*]] = ncd.index "b"
// CHECK: arith.addi %[[B]], %[[THREE]]
// CHECK: ncd.view %x from 0 by [6, 3, 1] : {{.*}} -> !ncd.array<{{.*}}=4, {{.*}}=2, d=3, f32>
ncd.diagram @positions(%x: !ncd.array<a=4, b=6, f32>) -> (!ncd.array<b=6, f32>, !ncd.array<c=8, d=3, f32>) {
  %m = ncd.map %x {
  ^bb0(%u: f32):
    %i = ncd.index "a" : index
    %j = ncd.index "b" : index
    %k = arith.addi %i, %j : index
    %l = arith.index_cast %k : index to i32
    %f = arith.sitofp %l : i32 to f32
    %r = arith.addf %u, %f : f32
    ncd.yield %r : f32
  } : !ncd.array<a=4, b=6, f32> -> !ncd.array<a=4, b=6, f32>
  %n = ncd.map %x {
  ^bb0(%u: f32):
    %r = arith.negf %u : f32
    ncd.yield %r : f32
  } : !ncd.array<a=4, b=6, f32> -> !ncd.array<a=4, b=6, f32>
  %s = ncd.slice %m "a" from 3 : !ncd.array<a=4, b=6, f32> -> !ncd.array<b=6, f32>
  %j = ncd.join %n [a, b] into "e" : !ncd.array<a=4, b=6, f32> -> !ncd.array<e=24, f32>
  %t = ncd.split %j "e" into [c, d] : !ncd.array<e=24, f32> -> !ncd.array<c=8, d=3, f32>
  ncd.return %s, %t : !ncd.array<b=6, f32>, !ncd.array<c=8, d=3, f32>
}

// An argument with strides is seen; the closest axis is last.
// CHECK-LABEL: @strided
// CHECK: ncd.view %x from 0 by [8, 1] : !ncd.array<k=4:1, m=6:8, f32> -> !ncd.array<m=6, k=4, f32>
ncd.diagram @strided(%x: !ncd.array<k=4:1, m=6:8, f32>) -> !ncd.array<m=6, f32> {
  %s = ncd.reduce sum %x over [k] : !ncd.array<k=4:1, m=6:8, f32> -> !ncd.array<m=6, f32>
  ncd.return %s : !ncd.array<m=6, f32>
}

// A slice across the parts of a join: the join goes through memory.
// CHECK-LABEL: @across
// CHECK: %[[N:.*]] = ncd.map %x
// CHECK: %[[COPY:.*]] = ncd.map %[[N]]
// CHECK: -> !ncd.array<b=6, a=4, f32>
// CHECK: ncd.view %[[COPY]] from 3 by [1]
ncd.diagram @across(%x: !ncd.array<a=4, b=6, f32>) -> !ncd.array<v=7, f32> {
  %n = ncd.map %x {
  ^bb0(%u: f32):
    %r = arith.negf %u : f32
    ncd.yield %r : f32
  } : !ncd.array<a=4, b=6, f32> -> !ncd.array<a=4, b=6, f32>
  %j = ncd.join %n [b, a] into "e" : !ncd.array<a=4, b=6, f32> -> !ncd.array<e=24, f32>
  %v = ncd.slice %j "e" from 3 into "v" : !ncd.array<e=24, f32> -> !ncd.array<v=7, f32>
  %w = ncd.map %v {
  ^bb0(%u: f32):
    %r = math.absf %u : f32
    ncd.yield %r : f32
  } : !ncd.array<v=7, f32> -> !ncd.array<v=7, f32>
  ncd.return %w : !ncd.array<v=7, f32>
}
