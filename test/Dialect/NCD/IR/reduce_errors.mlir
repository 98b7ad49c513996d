// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// An axis that the operand does not carry.
ncd.diagram @d(%t: !ncd.array<q=8, x=4, f32>) {
  // expected-error @below {{the operand does not carry axis 'y' of 'over'; it carries q, x}}
  %r = ncd.reduce sum %t over [y] : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<f32>) {
  // expected-error @below {{the operand does not carry axis 'y' of 'over'; it carries no axis}}
  %r = ncd.reduce sum %t over [y] : !ncd.array<f32> -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{'over' names no axis; name at least one, as in 'over [x]'}}
  %r = ncd.reduce sum %t over [] : !ncd.array<x=4, f32> -> !ncd.array<x=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{'over' names axis 'x' twice; name it once}}
  %r = ncd.reduce sum %t over [x, x] : !ncd.array<x=4, f32> -> !ncd.array<f32>
  ncd.return
}

// -----

// Result axes: one that is reduced, one from nowhere, one missing.
ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{the result carries axis 'x', which 'over' removes; drop it from the result type or from 'over'}}
  %r = ncd.reduce sum %t over [x] : !ncd.array<x=4, f32> -> !ncd.array<x=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{the result carries axis 'q', which no operand carries; drop it from the result type}}
  %r = ncd.reduce sum %t over [x] : !ncd.array<x=4, f32> -> !ncd.array<q=4, f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<q=8, x=4, f32>) {
  // expected-error @below {{the result lacks axis 'q', which an operand carries; add q=8 to the result type or the axis to 'over'}}
  %r = ncd.reduce sum %t over [x] : !ncd.array<q=8, x=4, f32> -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<q=8, x=4, f32>) {
  // expected-error @below {{axis 'q' differs in size: q=8 in operand 0 but q=9 in the result}}
  %r = ncd.reduce sum %t over [x] : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=9, f32>
  ncd.return
}

// -----

// A monoid that has no name.
ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{'median' is not the name of a monoid; known are sum, prod, max, min, and, or; give any other as a region}}
  %r = ncd.reduce median %t over [x] : !ncd.array<x=4, f32> -> !ncd.array<f32>
  ncd.return
}

// -----

// Monoids and element types.
ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{monoid 'and' needs integers, but the operand holds 'f32'; compare first with ncd.map}}
  %r = ncd.reduce and %t over [x] : !ncd.array<x=4, f32> -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, i1>) {
  // expected-error @below {{monoid 'sum' cannot combine i1; use 'and' or 'or', or convert to i32 with ncd.map}}
  %r = ncd.reduce sum %t over [x] : !ncd.array<x=4, i1> -> !ncd.array<i1>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, i8>) {
  // expected-error @below {{the result has element type 'i8', but elements of type 'i8' are combined in 'i32'; make it 'i32'}}
  %r = ncd.reduce sum %t over [x] : !ncd.array<x=4, i8> -> !ncd.array<i8>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, bf16>) {
  // expected-error @below {{the result has element type 'i32', but elements of type 'bf16' are combined in 'f32'; make it 'f32' or a float type to round to}}
  %r = ncd.reduce max %t over [x] : !ncd.array<x=4, bf16> -> !ncd.array<i32>
  ncd.return
}

// -----

// A name or a region, one of the two.
ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{names monoid 'sum' and gives a region or an identity as well; keep one}}
  %r = ncd.reduce sum %t over [x] identity(0.0 : f32) : !ncd.array<x=4, f32> -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{has neither the name of a monoid nor a region}}
  %r = ncd.reduce %t over [x] : !ncd.array<x=4, f32> -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  // expected-error @below {{combines by a region but gives no identity; add 'identity(0.0 : 'f32')' or what the region asks for}}
  %r = ncd.reduce %t over [x] {
  ^bb0(%a: f32, %b: f32):
    ncd.yield %a : f32
  } : !ncd.array<x=4, f32> -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, bf16>) {
  // expected-error @below {{the identity has type 'bf16', but elements of type 'bf16' are combined in 'f32'}}
  %r = ncd.reduce %t over [x] identity(0.0 : bf16) {
  ^bb0(%a: bf16, %b: bf16):
    ncd.yield %a : bf16
  } : !ncd.array<x=4, bf16> -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, bf16>) {
  // expected-error @below {{argument 0 of the region has type 'bf16', but 'f32' is given to it}}
  %r = ncd.reduce %t over [x] identity(0.0 : f32) {
  ^bb0(%a: bf16, %b: bf16):
    ncd.yield %a : bf16
  } : !ncd.array<x=4, bf16> -> !ncd.array<f32>
  ncd.return
}

// -----

// expected-note @below {{the value is defined here}}
ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  %r = "ncd.reduce"(%t) <{over = ["x"], identity = 0.0 : f32}> ({
  ^bb0(%a: f32, %b: f32):
    // expected-error @below {{uses a value from outside the region of 'ncd.reduce'; a reduction combines two elements and nothing else; apply other arrays with ncd.map}}
    %m = ncd.reduce max %t over [x] : !ncd.array<x=4, f32> -> !ncd.array<f32>
    ncd.yield %a : f32
  }) : (!ncd.array<x=4, f32>) -> !ncd.array<f32>
  ncd.return
}

// -----

ncd.diagram @d(%t: !ncd.array<x=4, f32>) {
  %r = ncd.reduce %t over [x] identity(0.0 : f32) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
  // expected-error @below {{needs at the end of its body 'ncd.yield %value : type', which gives the two values combined}}
  } : !ncd.array<x=4, f32> -> !ncd.array<f32>
  ncd.return
}
