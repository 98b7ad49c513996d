// RUN: napkin-opt %s --canonicalize --split-input-file | FileCheck %s
// RUN: napkin-opt %s --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=CSE

// A map that yields an operand as it is, is that operand.
// CHECK-LABEL: ncd.diagram @identity
// CHECK-NOT: ncd.map
// CHECK: ncd.return %a
ncd.diagram @identity(%a: !ncd.array<q=8, f32>, %b: !ncd.array<q=8, f32>) -> !ncd.array<q=8, f32> {
  %r = ncd.map %b, %a {
  ^bb0(%x: f32, %y: f32):
    ncd.yield %y : f32
  } : !ncd.array<q=8, f32>, !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
  ncd.return %r : !ncd.array<q=8, f32>
}

// -----

// It stays where it repeats or transposes.
// CHECK-LABEL: ncd.diagram @transpose
// CHECK: ncd.map %a
ncd.diagram @transpose(%a: !ncd.array<q=8, x=4, f32>) -> !ncd.array<x=4, q=8, f32> {
  %r = ncd.map %a {
  ^bb0(%x: f32):
    ncd.yield %x : f32
  } : !ncd.array<q=8, x=4, f32> -> !ncd.array<x=4, q=8, f32>
  ncd.return %r : !ncd.array<x=4, q=8, f32>
}

// -----

// Operands that are not read, and the second of two equal ones, are dropped.
// CHECK-LABEL: ncd.diagram @operands
// CHECK: ncd.map %c, %a {
// CHECK-NEXT: ^bb0(%[[C:.*]]: f32, %[[A:.*]]: f32):
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[A]], %[[C]]
// CHECK-NEXT: arith.mulf %[[S]], %[[A]]
// CHECK: } : !ncd.array<f32>, !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
ncd.diagram @operands(%a: !ncd.array<q=8, f32>, %b: !ncd.array<q=8, bf16>, %c: !ncd.array<f32>) -> !ncd.array<q=8, f32> {
  %r = ncd.map %b, %c, %a, %a {
  ^bb0(%w: bf16, %x: f32, %y: f32, %z: f32):
    %s = arith.addf %y, %x : f32
    %p = arith.mulf %s, %z : f32
    ncd.yield %p : f32
  } : !ncd.array<q=8, bf16>, !ncd.array<f32>, !ncd.array<q=8, f32>, !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
  ncd.return %r : !ncd.array<q=8, f32>
}

// -----

// Constants stay inside: nothing scalar appears in the diagram.
// CHECK-LABEL: ncd.diagram @constants
// CHECK-NEXT: ncd.map {
// CHECK-NEXT: %[[C:.*]] = arith.constant 3.0
// CHECK-NEXT: ncd.yield %[[C]]
ncd.diagram @constants() -> !ncd.array<q=8, f32> {
  %r = ncd.map {
    %a = arith.constant 1.0 : f32
    %b = arith.constant 2.0 : f32
    %c = arith.addf %a, %b : f32
    ncd.yield %c : f32
  } : -> !ncd.array<q=8, f32>
  ncd.return %r : !ncd.array<q=8, f32>
}

// -----

// A contract of one operand is that operand, a conversion or a transposition.
// CHECK-LABEL: ncd.diagram @contract_of_one
// CHECK-NOT: ncd.contract
// CHECK: %[[W:.*]] = ncd.map %b
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: %[[T:.*]] = ncd.map %a
// CHECK: } : !ncd.array<q=8, x=4, f32> -> !ncd.array<x=4, q=8, f32>
// CHECK: %[[I:.*]] = ncd.map %c
// CHECK: arith.extsi %{{.*}} : i8 to i32
// CHECK: ncd.return %a, %[[W]], %[[T]], %[[I]]
ncd.diagram @contract_of_one(%a: !ncd.array<q=8, x=4, f32>, %b: !ncd.array<q=8, bf16>, %c: !ncd.array<q=8, i8>)
    -> (!ncd.array<q=8, x=4, f32>, !ncd.array<q=8, f32>, !ncd.array<x=4, q=8, f32>, !ncd.array<q=8, i32>) {
  %0 = ncd.contract %a over [] : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  %1 = ncd.contract %b over [] : !ncd.array<q=8, bf16> -> !ncd.array<q=8, f32>
  %2 = ncd.contract %a over [] : !ncd.array<q=8, x=4, f32> -> !ncd.array<x=4, q=8, f32>
  %3 = ncd.contract %c over [] : !ncd.array<q=8, i8> -> !ncd.array<q=8, i32>
  ncd.return %0, %1, %2, %3 : !ncd.array<q=8, x=4, f32>, !ncd.array<q=8, f32>, !ncd.array<x=4, q=8, f32>, !ncd.array<q=8, i32>
}

// -----

// A region that is a monoid known by name takes the name.
// CHECK-LABEL: ncd.diagram @names
// CHECK: ncd.reduce sum %a over [x]
// CHECK: ncd.reduce max %a over [x]
// CHECK: ncd.reduce and %b over [x]
ncd.diagram @names(%a: !ncd.array<x=4, bf16>, %b: !ncd.array<x=4, i1>) -> (!ncd.array<f32>, !ncd.array<f32>, !ncd.array<i1>) {
  %0 = ncd.reduce %a over [x] identity(0.0 : f32) {
  ^bb0(%l: f32, %r: f32):
    %v = arith.addf %r, %l : f32
    ncd.yield %v : f32
  } : !ncd.array<x=4, bf16> -> !ncd.array<f32>
  %1 = ncd.reduce %a over [x] identity(0xFF800000 : f32) {
  ^bb0(%l: f32, %r: f32):
    %v = arith.maximumf %l, %r : f32
    ncd.yield %v : f32
  } : !ncd.array<x=4, bf16> -> !ncd.array<f32>
  %2 = ncd.reduce %b over [x] identity(true) {
  ^bb0(%l: i1, %r: i1):
    %v = arith.andi %l, %r : i1
    ncd.yield %v : i1
  } : !ncd.array<x=4, i1> -> !ncd.array<i1>
  ncd.return %0, %1, %2 : !ncd.array<f32>, !ncd.array<f32>, !ncd.array<i1>
}

// -----

// Another identity, or another combination, is another monoid.
// CHECK-LABEL: ncd.diagram @not_names
// CHECK: ncd.reduce %a over [x] identity(1.000000e+00 : f32)
// CHECK: ncd.reduce %a over [x] identity(0.000000e+00 : f32)
// CHECK: ncd.reduce %b over [x] identity(0 : i32)
ncd.diagram @not_names(%a: !ncd.array<x=4, f32>, %b: !ncd.array<x=4, i8>) -> (!ncd.array<f32>, !ncd.array<f32>, !ncd.array<i32>) {
  %0 = ncd.reduce %a over [x] identity(1.0 : f32) {
  ^bb0(%l: f32, %r: f32):
    %v = arith.addf %l, %r : f32
    ncd.yield %v : f32
  } : !ncd.array<x=4, f32> -> !ncd.array<f32>
  %1 = ncd.reduce %a over [x] identity(0.0 : f32) {
  ^bb0(%l: f32, %r: f32):
    %v = arith.addf %l, %l : f32
    ncd.yield %v : f32
  } : !ncd.array<x=4, f32> -> !ncd.array<f32>
  // The named `or` of i8 combines in i8.
  %2 = ncd.reduce %b over [x] identity(0 : i32) {
  ^bb0(%l: i32, %r: i32):
    %v = arith.ori %l, %r : i32
    ncd.yield %v : i32
  } : !ncd.array<x=4, i8> -> !ncd.array<i32>
  ncd.return %0, %1, %2 : !ncd.array<f32>, !ncd.array<f32>, !ncd.array<i32>
}

// -----

// Equal computations are computed once, unused ones not at all.
// CSE-LABEL: ncd.diagram @equal
// CSE-COUNT-1: ncd.softmax
// CSE-COUNT-1: ncd.map
// CSE-NOT: ncd.contract
// CSE: ncd.return
ncd.diagram @equal(%a: !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>, !ncd.array<x=4, f32>) {
  %0 = ncd.softmax %a over [x] : !ncd.array<x=4, f32> -> !ncd.array<x=4, f32>
  %1 = ncd.softmax %a over [x] : !ncd.array<x=4, f32> -> !ncd.array<x=4, f32>
  %2 = ncd.map %0 {
  ^bb0(%e: f32):
    %v = arith.addf %e, %e : f32
    ncd.yield %v : f32
  } : !ncd.array<x=4, f32> -> !ncd.array<x=4, f32>
  %3 = ncd.map %1 {
  ^bb0(%e: f32):
    %v = arith.addf %e, %e : f32
    ncd.yield %v : f32
  } : !ncd.array<x=4, f32> -> !ncd.array<x=4, f32>
  %4 = ncd.contract %a, %a over [x] : !ncd.array<x=4, f32>, !ncd.array<x=4, f32> -> !ncd.array<f32>
  ncd.return %2, %3 : !ncd.array<x=4, f32>, !ncd.array<x=4, f32>
}
