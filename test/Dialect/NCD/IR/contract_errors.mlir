// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// Sizes that differ.
ncd.diagram @d(%a: !ncd.array<i=4, k=64, f32>, %b: !ncd.array<k=32, f32>) {
  // expected-error @below {{axis 'k' differs in size: k=64 in operand 0 but k=32 in operand 1; make the sizes equal or rename one of the axes}}
  %r = ncd.contract %a, %b over [k] : !ncd.array<i=4, k=64, f32>, !ncd.array<k=32, f32> -> !ncd.array<i=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<i=4, f32>) {
  // expected-error @below {{axis 'i' differs in size: i=4 in operand 0 but i=5 in the result}}
  %r = ncd.contract %a over [] : !ncd.array<i=4, f32> -> !ncd.array<i=5, f32>
  ncd.return
}

// -----

// A contracted axis that only one operand carries.
ncd.diagram @d(%a: !ncd.array<k=4, f32>, %b: !ncd.array<i=3, k=4, j=2, f32>) {
  // expected-error @below {{only operand 1 carries axis 'j' of 'over'; sum it with ncd.reduce instead, or give the axis to another operand}}
  %r = ncd.contract %a, %b over [k, j] : !ncd.array<k=4, f32>, !ncd.array<i=3, k=4, j=2, f32> -> !ncd.array<i=3, f32>
  ncd.return
}

// -----

// A contracted axis that nobody carries.
ncd.diagram @d(%a: !ncd.array<k=4, f32>) {
  // expected-error @below {{no operand carries axis 'z' of 'over'; drop it from 'over'}}
  %r = ncd.contract %a, %a over [z] : !ncd.array<k=4, f32>, !ncd.array<k=4, f32> -> !ncd.array<k=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<k=4, f32>) {
  // expected-error @below {{'over' names axis 'k' twice; name it once}}
  %r = ncd.contract %a, %a over [k, k] : !ncd.array<k=4, f32>, !ncd.array<k=4, f32> -> !ncd.array<f32>
  ncd.return
}

// -----

// Result axes: one that is contracted, one from nowhere, one missing.
ncd.diagram @d(%a: !ncd.array<k=4, f32>) {
  // expected-error @below {{the result carries axis 'k', which 'over' sums; drop it from the result type or from 'over'}}
  %r = ncd.contract %a, %a over [k] : !ncd.array<k=4, f32>, !ncd.array<k=4, f32> -> !ncd.array<k=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<k=4, f32>) {
  // expected-error @below {{the result carries axis 'j', which no operand carries; drop it from the result type}}
  %r = ncd.contract %a, %a over [k] : !ncd.array<k=4, f32>, !ncd.array<k=4, f32> -> !ncd.array<j=2, f32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<h=3, k=4, f32>) {
  // expected-error @below {{the result lacks axis 'h', which an operand carries; add h=3 to the result type or the axis to 'over'}}
  %r = ncd.contract %a, %a over [k] : !ncd.array<h=3, k=4, f32>, !ncd.array<h=3, k=4, f32> -> !ncd.array<f32>
  ncd.return
}

// -----

// Element types.
ncd.diagram @d(%a: !ncd.array<k=4, f32>, %b: !ncd.array<k=4, bf16>) {
  // expected-error @below {{operands differ in element type: 'f32' in operand 0 but 'bf16' in operand 1; declare the producer's result so, or convert one of them with ncd.map}}
  %r = ncd.contract %a, %b over [k] : !ncd.array<k=4, f32>, !ncd.array<k=4, bf16> -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<k=4, i8>) {
  // expected-error @below {{the result has element type 'i8', but products of 'i8' accumulate in 'i32'; make it 'i32'}}
  %r = ncd.contract %a, %a over [k] : !ncd.array<k=4, i8>, !ncd.array<k=4, i8> -> !ncd.array<i8>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<k=4, bf16>) {
  // expected-error @below {{the result has element type 'i32', but products of 'bf16' accumulate in 'f32'; make it 'f32' or a float type to round to}}
  %r = ncd.contract %a, %a over [k] : !ncd.array<k=4, bf16>, !ncd.array<k=4, bf16> -> !ncd.array<i32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<k=4, i1>) {
  // expected-error @below {{cannot multiply elements of type i1; convert them to i8 or a float type with ncd.map}}
  %r = ncd.contract %a, %a over [k] : !ncd.array<k=4, i1>, !ncd.array<k=4, i1> -> !ncd.array<i1>
  ncd.return
}

// -----

ncd.diagram @d() {
  // expected-error @below {{has no operand; give it the arrays to multiply}}
  %r = "ncd.contract"() <{over = []}> : () -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<k=4, f32>) {
  // expected-error @below {{attribute 'over' failed to satisfy constraint: axis names}}
  %r = "ncd.contract"(%a) <{operandSegmentSizes = array<i32: 1, 0>, over = [3]}> : (!ncd.array<k=4, f32>) -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @start_element(%q: !ncd.array<q=16, d=32, bf16>, %k: !ncd.array<x=8, d=32, bf16>, %b: !ncd.array<q=16, bf16>) {
  // expected-error @below {{sums of 'f32' cannot start from 'plus' of 'bf16'}}
  %s = ncd.contract %q, %k over [d] plus %b : !ncd.array<q=16, bf16>
    : !ncd.array<q=16, d=32, bf16>, !ncd.array<x=8, d=32, bf16> -> !ncd.array<q=16, x=8, f32>
  ncd.return
}

// -----

ncd.diagram @start_axis(%q: !ncd.array<q=16, d=32, bf16>, %k: !ncd.array<x=8, d=32, bf16>, %b: !ncd.array<d=32, f32>) {
  // expected-error @below {{'plus' carries axis 'd', which the result lacks}}
  %s = ncd.contract %q, %k over [d] plus %b : !ncd.array<d=32, f32>
    : !ncd.array<q=16, d=32, bf16>, !ncd.array<x=8, d=32, bf16> -> !ncd.array<q=16, x=8, f32>
  ncd.return
}
