// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// An axis without a size, or a misspelt element type.
// expected-error @below {{'bf17' is neither an axis with its size, as in 'bf17=512', nor an element type; element types are f64, f32, tf32, bf16, f16, f8E4M3FN, f8E5M2, i8, i32, i64, i1}}
ncd.diagram @d(%a: !ncd.array<x=4, bf17>) {
  ncd.return
}

// -----

// No element type.
// expected-error @below {{an array ends with its element type, one of f64, f32}}
ncd.diagram @d(%a: !ncd.array<x=4>) {
  ncd.return
}

// -----

// Nothing at all.
// expected-error @below {{expected an axis as in 'x=512' or an element type}}
ncd.diagram @d(%a: !ncd.array<>) {
  ncd.return
}

// -----

// A name used twice.
// expected-error @below {{array names axis 'x' twice; give the second one a name of its own}}
ncd.diagram @d(%a: !ncd.array<x=4, x=4, f32>) {
  ncd.return
}

// -----

// A size of zero.
// expected-error @below {{axis 'x' of array has size 0; sizes are positive, or ?}}
ncd.diagram @d(%a: !ncd.array<x=0, f32>) {
  ncd.return
}

// -----

// A negative size.
// expected-error @below {{axis 'x' of array has size -3; sizes are positive, or ?}}
ncd.diagram @d(%a: !ncd.array<x=-3, f32>) {
  ncd.return
}

// -----

// The number that stands for an unknown size is not a way to write one.
// expected-error @below {{sizes are positive}}
ncd.diagram @d(%a: !ncd.array<x=-9223372036854775808, f32>) {
  ncd.return
}

// -----

// More bytes than an address reaches, at the axis that is one too many.
// expected-error @below {{array is larger than 2^63 bytes at axis 'y' of size 4294967296; make an axis smaller}}
ncd.diagram @d(%a: !ncd.array<x=4294967296, y=4294967296, f32>) {
  ncd.return
}

// -----

// A size that no integer holds.
// expected-error @below {{integer value too large}}
ncd.diagram @d(%a: !ncd.array<x=99999999999999999999, f32>) {
  ncd.return
}

// -----

// expected-error @below {{axis 'r' is ragged below 'e'; a parent is another axis and stands before it}}
ncd.diagram @d() attributes {test.type = !ncd.array<r:e, e=8, f32>} {
  ncd.return
}

// -----

// expected-error @below {{axis 'r' is ragged below 'r'; a parent is another axis and stands before it}}
ncd.diagram @d() attributes {test.type = !ncd.array<r:r, f32>} {
  ncd.return
}

// -----

// expected-error @below {{axis 's' is ragged below 'r', which is ragged itself; a parent is dense}}
ncd.diagram @d() attributes {test.type = !ncd.array<e=8, r:e, s:r, f32>} {
  ncd.return
}

// -----

// expected-error @below {{argument 0 has a ragged axis 'r', and arrays cross the border of a diagram dense; give it the axis that holds the positions of all of 'e'}}
ncd.diagram @d(%a: !ncd.array<e=8, r:e, f32>) {
  ncd.return
}
