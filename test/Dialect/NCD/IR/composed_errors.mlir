// RUN: napkin-opt %s --split-input-file --verify-diagnostics

ncd.diagram @d(%t: !ncd.array<q=8, x=4, f32>) {
  // expected-error @below {{the operand does not carry axis 'y' of 'over'; it carries q, x}}
  %p = ncd.softmax %t over [y] : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<q=8, x=4, f32>) {
  // expected-error @below {{'over' names no axis; name at least one}}
  %p = ncd.softmax %t over [] : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  ncd.return
}

// -----

// Softmax keeps its axes, logsumexp does not.
ncd.diagram @d(%t: !ncd.array<q=8, x=4, f32>) {
  // expected-error @below {{the result lacks axis 'x', which an operand carries; add x=4 to the result type}}
  %p = ncd.softmax %t over [x] : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<q=8, x=4, f32>) {
  // expected-error @below {{the result carries axis 'x', which 'over' removes}}
  %p = ncd.logsumexp %t over [x] : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, i32>) {
  // expected-error @below {{the operand has element type 'i32'; it must be a float type: convert with ncd.map}}
  %p = ncd.softmax %t over [x] : !ncd.array<x=4, i32> -> !ncd.array<x=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{the result has element type 'i8'; it must be a float type}}
  %p = ncd.softmax %t over [x] : !ncd.array<x=4, f32> -> !ncd.array<x=4, i8>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, f32>, %g: !ncd.array<k=4, f32>) {
  // expected-error @below {{gain carries axis 'k', which the operand does not; drop it from the gain}}
  %y = ncd.rms_norm %t over [x] eps 0.0 gain(%g : !ncd.array<k=4, f32>) : !ncd.array<x=4, f32> -> !ncd.array<x=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, f32>, %b: !ncd.array<x=4, i32>) {
  // expected-error @below {{bias has element type 'i32'; it must be a float type}}
  %y = ncd.layer_norm %t over [x] eps 0.0 bias(%b : !ncd.array<x=4, i32>) : !ncd.array<x=4, f32> -> !ncd.array<x=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{eps is -1.000000e+00; it must be finite and not negative}}
  %y = ncd.rms_norm %t over [x] eps -1.0 : !ncd.array<x=4, f32> -> !ncd.array<x=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=?, f32>) {
  // expected-error @below {{needs the size of axis 'x' for the mean, but it is ?; make it static}}
  %y = ncd.rms_norm %t over [x] eps 0.0 : !ncd.array<x=?, f32> -> !ncd.array<x=?, f32>
  ncd.return
}
