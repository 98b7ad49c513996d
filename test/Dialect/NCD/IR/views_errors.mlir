// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// Each rule of the views, in the names of the user.

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, g=4, m=6, bf16> {
  // expected-error @+1 {{'ncd.split' op the operand does not carry axis 'k'}}
  %r = ncd.split %c "k" into [g, m]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, g=4, m=6, bf16>
  ncd.return %r : !ncd.array<x=16, g=4, m=6, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, g=4, m=5, bf16> {
  // expected-error @+1 {{'ncd.split' op axis c=24 is not g=4 x m=5; the sizes of the parts multiply to that of the whole}}
  %r = ncd.split %c "c" into [g, m]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, g=4, m=5, bf16>
  ncd.return %r : !ncd.array<x=16, g=4, m=5, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, g=4, m=6, bf16> {
  // expected-error @+1 {{'ncd.split' op makes axis 'g' twice; name the second one otherwise}}
  %r = ncd.split %c "c" into [g, g]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, g=4, m=6, bf16>
  ncd.return %r : !ncd.array<x=16, g=4, m=6, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, g=4, bf16> {
  // expected-error @+1 {{'ncd.split' op makes axis 'x', which the operand carries already; name it otherwise}}
  %r = ncd.split %c "c" into [g, x]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, g=4, bf16>
  ncd.return %r : !ncd.array<x=16, g=4, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, g=4, bf16> {
  // expected-error @+1 {{'ncd.split' op the result lacks axis 'm'; add it with its size to its type}}
  %r = ncd.split %c "c" into [g, m]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, g=4, bf16>
  ncd.return %r : !ncd.array<x=16, g=4, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<g=4, m=6, bf16> {
  // expected-error @+1 {{'ncd.split' op the result lacks axis 'x'; add x=16 to its type}}
  %r = ncd.split %c "c" into [g, m]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<g=4, m=6, bf16>
  ncd.return %r : !ncd.array<g=4, m=6, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, g=4, m=6, f32> {
  // expected-error @+1 {{'ncd.split' op the result holds 'f32' and the operand 'bf16'; convert with ncd.map}}
  %r = ncd.split %c "c" into [g, m]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, g=4, m=6, f32>
  ncd.return %r : !ncd.array<x=16, g=4, m=6, f32>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, bf16> {
  // expected-error @+1 {{'ncd.split' op splits axis 'c' into none; name what it is made of, as in 'into [g, m]'}}
  %r = ncd.split %c "c" into []
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, bf16>
  ncd.return %r : !ncd.array<x=16, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<e=380, bf16> {
  // expected-error @+1 {{'ncd.join' op axis e=380 is not x=16 x c=24; the sizes of the parts multiply to that of the whole}}
  %r = ncd.join %c [x, c] into "e"
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<e=380, bf16>
  ncd.return %r : !ncd.array<e=380, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<e=384, bf16> {
  // expected-error @+1 {{'ncd.join' op names axis 'x' twice; name it once}}
  %r = ncd.join %c [x, x] into "e"
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<e=384, bf16>
  ncd.return %r : !ncd.array<e=384, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<e=384, bf16> {
  // expected-error @+1 {{'ncd.join' op the operand does not carry axis 'k'}}
  %r = ncd.join %c [x, k] into "e"
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<e=384, bf16>
  ncd.return %r : !ncd.array<e=384, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<e=384, c=24, bf16> {
  // expected-error @+1 {{'ncd.join' op the result carries axis 'c', which this makes of no axis; drop it from its type}}
  %r = ncd.join %c [x, c] into "e"
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<e=384, c=24, bf16>
  ncd.return %r : !ncd.array<e=384, c=24, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<e=384, bf16> {
  // expected-error @+1 {{'ncd.join' op joins no axis; name at least one, as in '[g, m]'}}
  %r = ncd.join %c [] into "e"
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<e=384, bf16>
  ncd.return %r : !ncd.array<e=384, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<y=16, c=24, bf16> {
  // expected-error @+1 {{'ncd.rename' op names 1 axes and 2 new names; give one for each}}
  %r = ncd.rename %c [x] into [y, z]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<y=16, c=24, bf16>
  ncd.return %r : !ncd.array<y=16, c=24, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<c=24, bf16> {
  // expected-error @+1 {{'ncd.rename' op makes axis 'c', which the operand carries already; name it otherwise}}
  %r = ncd.rename %c [x] into [c]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<c=24, bf16>
  ncd.return %r : !ncd.array<c=24, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<y=15, c=24, bf16> {
  // expected-error @+1 {{'ncd.rename' op axis 'y' of the result has y=15 where there are y=16}}
  %r = ncd.rename %c [x] into [y]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<y=15, c=24, bf16>
  ncd.return %r : !ncd.array<y=15, c=24, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, v=8, bf16> {
  // expected-error @+1 {{'ncd.slice' op takes positions 17 to 24 of axis c=24, whose positions are 0 to 23}}
  %r = ncd.slice %c "c" from 17 into "v"
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, v=8, bf16>
  ncd.return %r : !ncd.array<x=16, v=8, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, v=8, bf16> {
  // expected-error @+1 {{'ncd.slice' op takes positions 6 to -1 of axis c=24, whose positions are 0 to 23}}
  %r = ncd.slice %c "c" from 6 by -1 into "v"
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, v=8, bf16>
  ncd.return %r : !ncd.array<x=16, v=8, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, v=8, bf16> {
  // expected-error @+1 {{'ncd.slice' op takes one position of axis 'c' again and again: 'by' is 0}}
  %r = ncd.slice %c "c" from 0 by 0 into "v"
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, v=8, bf16>
  ncd.return %r : !ncd.array<x=16, v=8, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, c=24, bf16> {
  // expected-error @+1 {{'ncd.slice' op the result carries axis 'c', which this makes of no axis; drop it from its type}}
  %r = ncd.slice %c "c" from 3
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, c=24, bf16>
  ncd.return %r : !ncd.array<x=16, c=24, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, v=24, bf16> {
  // expected-error @+1 {{'ncd.view' op reaches out of the 384 elements of '!ncd.array<x=16, c=24, bf16>' along axis 'v'}}
  %r = ncd.view %c from 1 by [24, 1]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, v=24, bf16>
  ncd.return %r : !ncd.array<x=16, v=24, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<bf16> {
  // expected-error @+1 {{'ncd.view' op begins at element 384 of the 384 of '!ncd.array<x=16, c=24, bf16>'}}
  %r = ncd.view %c from 384 by []
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<bf16>
  ncd.return %r : !ncd.array<bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>)
    -> !ncd.array<x=16, v=24, bf16> {
  // expected-error @+1 {{'ncd.view' op gives 1 strides to the 2 axes of '!ncd.array<x=16, v=24, bf16>'}}
  %r = ncd.view %c from 0 by [1]
    : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, v=24, bf16>
  ncd.return %r : !ncd.array<x=16, v=24, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>, %b: !ncd.array<x=16, k=8, bf16>)
    -> !ncd.array<x=16, e=30, bf16> {
  // expected-error @+1 {{'ncd.concat' op axis e=30 is not c=24 + k=8; the sizes add up to it}}
  %r = ncd.concat %c, %b [c, k] into "e"
    : !ncd.array<x=16, c=24, bf16>, !ncd.array<x=16, k=8, bf16> -> !ncd.array<x=16, e=30, bf16>
  ncd.return %r : !ncd.array<x=16, e=30, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>, %b: !ncd.array<x=16, k=8, bf16>)
    -> !ncd.array<x=16, e=32, bf16> {
  // expected-error @+1 {{'ncd.concat' op has 2 operands and names 1 axes; name one of each operand}}
  %r = ncd.concat %c, %b [c] into "e"
    : !ncd.array<x=16, c=24, bf16>, !ncd.array<x=16, k=8, bf16> -> !ncd.array<x=16, e=32, bf16>
  ncd.return %r : !ncd.array<x=16, e=32, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>, %b: !ncd.array<y=16, k=8, bf16>)
    -> !ncd.array<x=16, e=32, bf16> {
  // expected-error @+1 {{'ncd.concat' op operand 1 has, beside axis 'k', '!ncd.array<y=16, bf16>', and operand 0 '!ncd.array<x=16, bf16>'; they have the same other axes and elements}}
  %r = ncd.concat %c, %b [c, k] into "e"
    : !ncd.array<x=16, c=24, bf16>, !ncd.array<y=16, k=8, bf16> -> !ncd.array<x=16, e=32, bf16>
  ncd.return %r : !ncd.array<x=16, e=32, bf16>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>, %b: !ncd.array<x=16, k=8, bf16>)
    -> !ncd.array<x=16, e=32, bf16> {
  // expected-error @+1 {{'ncd.concat' op operand 1 does not carry axis 'j'}}
  %r = ncd.concat %c, %b [c, j] into "e"
    : !ncd.array<x=16, c=24, bf16>, !ncd.array<x=16, k=8, bf16> -> !ncd.array<x=16, e=32, bf16>
  ncd.return %r : !ncd.array<x=16, e=32, bf16>
}

// -----

// expected-error @+1 {{result 'result0' has strides, in '!ncd.array<x=16:32, f32>'; results are dense: write its axes in the order in which they lie}}
ncd.diagram @diagram(%c: !ncd.array<x=16, f32>) -> !ncd.array<x=16:32, f32> {
  ncd.return %c : !ncd.array<x=16, f32>
}

// -----

// expected-error @+1 {{argument 'c': positions of axis 'x' are -1 elements apart; an argument begins with its first element: take the axis backwards with ncd.slice}}
ncd.diagram @diagram(%c: !ncd.array<x=16:-1, f32>) {
  ncd.return
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, f32>) -> !ncd.array<x=16, f32> {
  // expected-error @+1 {{'ncd.map' op gives '!ncd.array<x=16:2, f32>'; what is computed has axes and no strides}}
  %m = ncd.map %c {
  ^bb0(%e: f32):
    ncd.yield %e : f32
  } : !ncd.array<x=16, f32> -> !ncd.array<x=16:2, f32>
  ncd.return %c : !ncd.array<x=16, f32>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>) -> !ncd.array<x=16, f32> {
  // expected-error @+1 {{'ncd.kernel' op operand 1 as it is seen reaches out of the 384 elements of '!ncd.array<x=16, c=24, bf16>' along axis 'v'}}
  %o = ncd.kernel (%k = %c as !ncd.array<x=16, c=24, bf16> from 0 by [24, 1], %v = %c as !ncd.array<x=16, v=8, bf16> from 20 by [24, 1] : !ncd.array<x=16, c=24, bf16>, !ncd.array<x=16, c=24, bf16>)
      -> (!ncd.array<x=16, f32>) {
    %r = ncd.contract %k over [c] : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, f32>
    ncd.yield %r : !ncd.array<x=16, f32>
  }
  ncd.return %o : !ncd.array<x=16, f32>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>) -> !ncd.array<x=16, f32> {
  // expected-error @+1 {{'ncd.kernel' op operand 1 is read within operand 1, which is no other view of the same array with a tile of its own}}
  %o = ncd.kernel (%k = %c as !ncd.array<x=16, c=24, bf16> from 0 by [24, 1], %v = %c as !ncd.array<x=16, v=8, bf16> from 0 by [24, 1] within 1 : !ncd.array<x=16, c=24, bf16>, !ncd.array<x=16, c=24, bf16>)
      -> (!ncd.array<x=16, f32>) {
    %r = ncd.contract %k over [c] : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, f32>
    ncd.yield %r : !ncd.array<x=16, f32>
  }
  ncd.return %o : !ncd.array<x=16, f32>
}

// -----

ncd.diagram @diagram(%c: !ncd.array<x=16, c=24, bf16>) -> !ncd.array<x=16, f32> {
  // expected-error @+1 {{'ncd.kernel' op operand 1 as it is seen, '!ncd.array<x=16, v=8, bf16>', does not lie in operand 0, '!ncd.array<x=16, c=24, bf16>'}}
  %o = ncd.kernel (%k = %c as !ncd.array<x=16, c=24, bf16> from 0 by [24, 1], %v = %c as !ncd.array<x=16, v=8, bf16> from 0 by [24, 2] within 0 : !ncd.array<x=16, c=24, bf16>, !ncd.array<x=16, c=24, bf16>)
      -> (!ncd.array<x=16, f32>) {
    %r = ncd.contract %k over [c] : !ncd.array<x=16, c=24, bf16> -> !ncd.array<x=16, f32>
    ncd.yield %r : !ncd.array<x=16, f32>
  }
  ncd.return %o : !ncd.array<x=16, f32>
}
