// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// An axis has one size in a diagram.
// expected-note @below {{the array with x=512}}
ncd.diagram @d(%a: !ncd.array<x=512, f32>,
// expected-error @below {{axis 'x' has one size in a diagram: x=777 here but x=512 before; make the sizes equal or rename one of the axes}}
               %b: !ncd.array<x=777, f32>) {
  ncd.return
}

// -----

// The same for arrays that never meet.
// expected-note @below {{the array with x=4}}
ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{axis 'x' has one size in a diagram: x=5 here but x=4 before}}
  %r = ncd.map {
    %c = arith.constant 0.0 : f32
    ncd.yield %c : f32
  } : -> !ncd.array<x=5, f32>
  ncd.return
}

// -----

// Arrays only.
// expected-error @below {{argument 0 has type 'f32'; a diagram takes arrays, as in !ncd.array<x=512, f32>}}
ncd.diagram @d(%a: f32) {
  ncd.return
}

// -----

// expected-error @below {{result 0 has type 'f32'; a diagram gives arrays}}
"ncd.diagram"() <{function_type = () -> f32, sym_name = "d"}> ({
  "ncd.return"() : () -> ()
}) : () -> ()

// -----

// No declarations.
ncd.diagram @d(%a: !ncd.array<f32>)
// expected-error @below {{expected '{': a diagram is defined where it is declared}}
// -----

// expected-error @below {{has no body; say what the diagram computes}}
"ncd.diagram"() <{function_type = () -> (), sym_name = "d"}> ({}) : () -> ()

// -----

// expected-error @below {{every argument of a diagram needs a name, as in '%q: !ncd.array<x=512, f32>'}}
ncd.diagram @d(!ncd.array<f32>) {
  ncd.return
}

// -----

// expected-error @below {{argument 1 is the second array named 'a'; give it another name}}
ncd.diagram @d(%a: !ncd.array<f32>, %b: !ncd.array<f32> {ncd.name = "a"}) {
  ncd.return
}

// -----

// expected-error @below {{argument 0 has an ncd.name 3 : i64; it must be a string}}
ncd.diagram @d(%a: !ncd.array<f32> {ncd.name = 3}) {
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<f32>) -> !ncd.array<f32> {
  // expected-error @below {{gives 0 results, but diagram 'd' declares 1}}
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=2, f32>) -> !ncd.array<f32> {
  // expected-error @below {{result 0 has type '!ncd.array<x=2, f32>', but diagram 'd' declares '!ncd.array<f32>'}}
  ncd.return %a : !ncd.array<x=2, f32>
}

// -----

// expected-error @below {{must end with 'ncd.return'}}
ncd.diagram @d(%a: !ncd.array<x=2, f32>) {
  llvm.unreachable
}

// -----

// A return outside of a diagram.
// expected-error @below {{'ncd.return' op expects parent op 'ncd.diagram'}}
ncd.return

// -----

// A yield outside of a region.
ncd.diagram @d() {
  // expected-error @below {{'ncd.yield' op expects parent op to be one of 'ncd.map, ncd.reduce, ncd.kernel, ncd.stream, ncd.when'}}
  ncd.yield
}

// -----

// A diagram that returns nothing. (One without any operation is the same.)
ncd.diagram @d(%a: !ncd.array<x=2, f32>) -> !ncd.array<x=2, f32> {
  %r = ncd.softmax %a over [x] : !ncd.array<x=2, f32> -> !ncd.array<x=2, f32>
}
// expected-error @below {{needs at the end of its body 'ncd.return %result : type', which says what the diagram computes}}
