// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// An axis that the result loses.
ncd.diagram @d(%a: !ncd.array<q=8, x=4, f32>) {
  // expected-error @below {{the result lacks axis 'x' of operand 0; add x=4 to the result type, or reduce the axis first}}
  %r = ncd.map %a {
  ^bb0(%e: f32):
    ncd.yield %e : f32
  } : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<q=8, f32>, %b: !ncd.array<q=9, f32>) {
  // expected-error @below {{axis 'q' differs in size: q=8 in operand 0 but q=9 in operand 1}}
  %r = ncd.map %a, %b {
  ^bb0(%e: f32, %f: f32):
    ncd.yield %e : f32
  } : !ncd.array<q=8, f32>, !ncd.array<q=9, f32> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

// The region's arguments are the operands' elements.
ncd.diagram @d(%a: !ncd.array<q=8, bf16>) {
  // expected-error @below {{argument 0 of the region has type 'f32', but 'bf16' is given to it}}
  %r = ncd.map %a {
  ^bb0(%e: f32):
    ncd.yield %e : f32
  } : !ncd.array<q=8, bf16> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<q=8, f32>) {
  // expected-error @below {{the region takes 2 arguments, but 1 are given to it}}
  %r = ncd.map %a {
  ^bb0(%e: f32, %f: f32):
    ncd.yield %e : f32
  } : !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

// The yield is an element of the result: rounding is written.
ncd.diagram @d(%a: !ncd.array<q=8, f32>) {
  %r = ncd.map %a {
  ^bb0(%e: f32):
    // expected-error @below {{value 0 has type 'f32', but the region of 'ncd.map' must give 'bf16'}}
    ncd.yield %e : f32
  } : !ncd.array<q=8, f32> -> !ncd.array<q=8, bf16>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<q=8, f32>) {
  %r = ncd.map %a {
  ^bb0(%e: f32):
    // expected-error @below {{gives 2 values, but the region of 'ncd.map' must give 1}}
    ncd.yield %e, %e : f32, f32
  } : !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

// Nothing is used from outside; names of the diagram are not even known inside.
ncd.diagram @d(%a: !ncd.array<q=8, f32>) {
  %r = ncd.map %a {
  ^bb0(%e: f32):
    // expected-error @below {{use of undeclared SSA value name}}
    ncd.yield %a : f32
  } : !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

// expected-note @below {{the value is defined here}}
ncd.diagram @d(%a: !ncd.array<q=8, f32>) {
  %r = "ncd.map"(%a) ({
  ^bb0(%e: f32):
    // expected-error @below {{uses a value from outside the region of 'ncd.map'; pass an array as an operand of the map, and define constants inside}}
    %m = ncd.reduce max %a over [q] : !ncd.array<q=8, f32> -> !ncd.array<f32>
    ncd.yield %e : f32
  }) : (!ncd.array<q=8, f32>) -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

// Scalars only, without side effects and regions.
ncd.diagram @d(%a: !ncd.array<q=8, f32>) {
  %r = ncd.map %a {
  ^bb0(%e: f32):
    // expected-error @below {{gives a value of type 'vector<4xf32>' in the region of 'ncd.map'; values there are scalars}}
    %v = arith.constant dense<1.0> : vector<4xf32>
    ncd.yield %e : f32
  } : !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<q=8, f32>) {
  %r = ncd.map %a {
  ^bb0(%e: f32):
    // expected-error @below {{cannot be in the region of 'ncd.map'; use operations of arith and math without regions or side effects}}
    gpu.barrier
    ncd.yield %e : f32
  } : !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<q=8, f32>) {
  %r = ncd.map %a {
  ^bb0(%e: f32):
    %c = arith.constant true
    // expected-error @below {{cannot be in the region of 'ncd.map'}}
    %s = scf.if %c -> f32 {
      scf.yield %e : f32
    } else {
      scf.yield %e : f32
    }
    ncd.yield %s : f32
  } : !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

// A position along an axis that the result does not have.
ncd.diagram @d(%a: !ncd.array<q=8, f32>) {
  %r = ncd.map %a {
  ^bb0(%e: f32):
    // expected-error @below {{the map's result does not carry axis 'x'; its type is '!ncd.array<q=8, f32>'}}
    %x = ncd.index "x" : index
    ncd.yield %e : f32
  } : !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
  ncd.return
}

// -----

ncd.diagram @d() {
  // expected-error @below {{'ncd.index' op expects parent op 'ncd.map'}}
  %x = ncd.index "x" : index
  ncd.return
}

// -----

// A body that gives nothing.
ncd.diagram @d(%a: !ncd.array<q=8, f32>) {
  %r = ncd.map %a {
  ^bb0(%e: f32):
    %s = arith.addf %e, %e : f32
  // expected-error @below {{needs at the end of its body 'ncd.yield %value : type', which gives the element}}
  } : !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
  ncd.return
}
