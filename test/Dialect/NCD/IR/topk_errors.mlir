// RUN: napkin-opt %s --split-input-file --verify-diagnostics

ncd.diagram @two_axes(%x: !ncd.array<t=8, e=16, f32>) -> (!ncd.array<k=2, f32>, !ncd.array<k=2, i32>) {
  // expected-error @below {{searches one axis, not 2; join them first}}
  %v, %i = ncd.topk %x over [t, e] into "k" : !ncd.array<t=8, e=16, f32> -> !ncd.array<k=2, f32>, !ncd.array<k=2, i32>
  ncd.return %v, %i : !ncd.array<k=2, f32>, !ncd.array<k=2, i32>
}

// -----

ncd.diagram @taken(%x: !ncd.array<t=8, e=16, f32>) -> (!ncd.array<t=8, f32>, !ncd.array<t=8, i32>) {
  // expected-error @below {{the operand carries axis 't' of 'into' already; name a new one}}
  %v, %i = ncd.topk %x over [e] into "t" : !ncd.array<t=8, e=16, f32> -> !ncd.array<t=8, f32>, !ncd.array<t=8, i32>
  ncd.return %v, %i : !ncd.array<t=8, f32>, !ncd.array<t=8, i32>
}

// -----

ncd.diagram @no_count(%x: !ncd.array<t=8, e=16, f32>) -> (!ncd.array<t=8, f32>, !ncd.array<t=8, i32>) {
  // expected-error @below {{the values do not carry axis 'k' of 'into', whose size says how many are found}}
  %v, %i = ncd.topk %x over [e] into "k" : !ncd.array<t=8, e=16, f32> -> !ncd.array<t=8, f32>, !ncd.array<t=8, i32>
  ncd.return %v, %i : !ncd.array<t=8, f32>, !ncd.array<t=8, i32>
}

// -----

ncd.diagram @too_many(%x: !ncd.array<t=8, e=4, f32>) -> (!ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i32>) {
  // expected-error @below {{finds 5 of the 4 positions of axis 'e'; make 'k' smaller}}
  %v, %i = ncd.topk %x over [e] into "k" : !ncd.array<t=8, e=4, f32> -> !ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i32>
  ncd.return %v, %i : !ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i32>
}

// -----

ncd.diagram @very_many(%x: !ncd.array<t=8, e=400, f32>) -> (!ncd.array<t=8, k=65, f32>, !ncd.array<t=8, k=65, i32>) {
  // expected-error @below {{finds 65 elements, and at most 64 are searched for}}
  %v, %i = ncd.topk %x over [e] into "k" : !ncd.array<t=8, e=400, f32> -> !ncd.array<t=8, k=65, f32>, !ncd.array<t=8, k=65, i32>
  ncd.return %v, %i : !ncd.array<t=8, k=65, f32>, !ncd.array<t=8, k=65, i32>
}

// -----

ncd.diagram @dynamic(%x: !ncd.array<t=8, e=?, f32>) -> (!ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i32>) {
  // expected-error @below {{needs the sizes of axes 'e' and 'k', but one is ?; make them static}}
  %v, %i = ncd.topk %x over [e] into "k" : !ncd.array<t=8, e=?, f32> -> !ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i32>
  ncd.return %v, %i : !ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i32>
}

// -----

ncd.diagram @lost_axis(%x: !ncd.array<t=8, e=16, f32>) -> (!ncd.array<k=5, f32>, !ncd.array<t=8, k=5, i32>) {
  // expected-error @below {{axis 't'}}
  %v, %i = ncd.topk %x over [e] into "k" : !ncd.array<t=8, e=16, f32> -> !ncd.array<k=5, f32>, !ncd.array<t=8, k=5, i32>
  ncd.return %v, %i : !ncd.array<k=5, f32>, !ncd.array<t=8, k=5, i32>
}

// -----

ncd.diagram @integers(%x: !ncd.array<t=8, e=16, i32>) -> (!ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i32>) {
  // expected-error @below {{the operand has element type 'i32'; it must be a float type: convert with ncd.map}}
  %v, %i = ncd.topk %x over [e] into "k" : !ncd.array<t=8, e=16, i32> -> !ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i32>
  ncd.return %v, %i : !ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i32>
}

// -----

ncd.diagram @positions(%x: !ncd.array<t=8, e=16, f32>) -> (!ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i64>) {
  // expected-error @below {{the positions have element type 'i64'; it must be i32}}
  %v, %i = ncd.topk %x over [e] into "k" : !ncd.array<t=8, e=16, f32> -> !ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i64>
  ncd.return %v, %i : !ncd.array<t=8, k=5, f32>, !ncd.array<t=8, k=5, i64>
}
