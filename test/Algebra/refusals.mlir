// RUN: napkin-opt --ncd-derive-stream --split-input-file --verify-diagnostics %s

// What has no streaming form is an error at the reduction, with the axis, the
// sub-expression and the missing law.

!t = !ncd.array<q=8, x=64, f32>
!v = !ncd.array<q=8, f32>

ncd.diagram @sine(%t: !t) -> !v {
  // expected-note @+1 {{in this kernel, which is to be streamed over axis 'x'; choose another axis, or split the kernel before the reduction}}
  %r = ncd.kernel (%a = %t : !t) -> (!v) attributes {stream = #ncd.partition<x=16>} {
    %m = ncd.reduce sum %a over [x] : !t -> !v
    // expected-note @+1 {{the sub-expression is computed here}}
    %s = ncd.map %a, %m {
    ^bb0(%e: f32, %f: f32):
      %p = arith.mulf %e, %f : f32
      %z = math.sin %p : f32
      ncd.yield %z : f32
    } : !t, !v -> !t
    // expected-error @+1 {{axis x, r2 = sum_x math.sin((t*r1)): 'math.sin((t*r1))': 'math.sin' of a value that joins x and r does not split into a finite sum of products}}
    %o = ncd.reduce sum %s over [x] : !t -> !v
    ncd.yield %o : !v
  }
  ncd.return %r : !v
}

// -----

!t = !ncd.array<q=8, x=64, f32>
!v = !ncd.array<q=8, f32>

ncd.diagram @deviation(%t: !t) -> !v {
  // expected-note @+1 {{in this kernel}}
  %r = ncd.kernel (%a = %t : !t) -> (!v) attributes {stream = #ncd.partition<x=16>} {
    %m = ncd.reduce max %a over [x] : !t -> !v
    // expected-note @+1 {{the sub-expression is computed here}}
    %s = ncd.map %a, %m {
    ^bb0(%e: f32, %f: f32):
      %half = arith.constant 0.5 : f32
      %h = arith.mulf %f, %half : f32
      %p = arith.subf %e, %h : f32
      %z = math.absf %p : f32
      ncd.yield %z : f32
    } : !t, !v -> !t
    // expected-error @+1 {{axis x, r2 = sum_x abs((t-(r1*0.5))): '(t-(r1*0.5))': |u| needs u to be one product g(x)*h(r); it is a sum of 2 products of x and r: t + (r1*-0.5)}}
    %o = ncd.reduce sum %s over [x] : !t -> !v
    ncd.yield %o : !v
  }
  ncd.return %r : !v
}

// -----

!t = !ncd.array<q=8, x=64, f32>
!v = !ncd.array<q=8, f32>

ncd.diagram @quantise(%t: !t) -> !v {
  // expected-note @+1 {{in this kernel}}
  %r = ncd.kernel (%a = %t : !t) -> (!v) attributes {stream = #ncd.partition<x=16>} {
    %m = ncd.reduce max %a over [x] : !t -> !v
    // expected-note @+1 {{the sub-expression is computed here}}
    %s = ncd.map %a, %m {
    ^bb0(%e: f32, %f: f32):
      %p = arith.divf %e, %f : f32
      %z = math.roundeven %p : f32
      ncd.yield %z : f32
    } : !t, !v -> !t
    // expected-error @+1 {{'grid((t/r1))': rounding to a fixed grid does not commute with a factor in r}}
    %o = ncd.reduce sum %s over [x] : !t -> !v
    ncd.yield %o : !v
  }
  ncd.return %r : !v
}

// -----

// f16 rounds with constant relative error only between 2^-14 and 2^15.

!t = !ncd.array<q=8, x=64, f16>
!s = !ncd.array<q=8, f32>
!v = !ncd.array<q=8, f32>

ncd.diagram @half(%t: !t) -> !v {
  // expected-note @+1 {{in this kernel}}
  %r = ncd.kernel (%a = %t : !t) -> (!v) attributes {stream = #ncd.partition<x=16>} {
    %m = ncd.reduce max %a over [x] : !t -> !s
    // expected-note @+1 {{the sub-expression is computed here}}
    %p = ncd.map %a, %m {
    ^bb0(%e: f16, %f: f32):
      %w = arith.extf %e : f16 to f32
      %u = arith.mulf %w, %w : f32
      %d = arith.mulf %u, %f : f32
      %z = arith.truncf %d : f32 to f16
      ncd.yield %z : f16
    } : !t, !s -> !t
    // expected-error @+1 {{rounding to f16 commutes with a factor in r only within 2^-14 and 2^15, and its x-part may reach 2^32}}
    %o = ncd.reduce sum %p over [x] : !t -> !v
    ncd.yield %o : !v
  }
  ncd.return %r : !v
}

// -----

!t = !ncd.array<q=8, x=64, f32>
!v = !ncd.array<q=8, f32>

// The second loop cannot make another reduction that reads one of the first: its
// first element would need the last input.
ncd.diagram @output(%t: !t) -> !t {
  // expected-note @+1 {{in this kernel}}
  %r = ncd.kernel (%a = %t : !t) -> (!t) attributes {stream = #ncd.partition<x=16>} {
    %m = ncd.reduce max %a over [x] : !t -> !v
    // expected-note @+1 {{the sub-expression is computed here}}
    %s = ncd.map %a, %m {
    ^bb0(%e: f32, %f: f32):
      %p = arith.mulf %e, %f : f32
      %q = math.tanh %p : f32
      ncd.yield %q : f32
    } : !t, !v -> !t
    // expected-error @+1 {{axis x, r2}}
    %n = ncd.reduce sum %s over [x] : !t -> !v
    %o = ncd.map %a, %n {
    ^bb0(%e: f32, %f: f32):
      %p = arith.subf %e, %f : f32
      ncd.yield %p : f32
    } : !t, !v -> !t
    ncd.yield %o : !t
  }
  ncd.return %r : !t
}

// -----

!t = !ncd.array<q=8, x=64, f32>

ncd.diagram @composed(%t: !t) -> !t {
  // expected-note @+1 {{in this kernel}}
  %r = ncd.kernel (%a = %t : !t) -> (!t) attributes {stream = #ncd.partition<x=16>} {
    // expected-error @+1 {{no terms are known for 'ncd.softmax'; only contract, map and reduce can be streamed (run ncd-decompose first)}}
    %s = ncd.softmax %a over [x] : !t -> !t
    ncd.yield %s : !t
  }
  ncd.return %r : !t
}

// -----

!t = !ncd.array<q=8, x=?, f32>
!v = !ncd.array<q=8, f32>

ncd.diagram @dynamic(%t: !t) -> !v {
  // expected-note @+1 {{in this kernel}}
  %r = ncd.kernel (%a = %t : !t) -> (!v) attributes {stream = #ncd.partition<x=16>} {
    // expected-error @+1 {{axis x has no static size; give it one}}
    %m = ncd.reduce max %a over [x] : !t -> !v
    ncd.yield %m : !v
  }
  ncd.return %r : !v
}

// -----

!t = !ncd.array<q=8, x=64, i32>
!v = !ncd.array<q=8, i32>

ncd.diagram @integers(%t: !t) -> !v {
  // expected-note @+1 {{in this kernel}}
  %r = ncd.kernel (%a = %t : !t) -> (!v) attributes {stream = #ncd.partition<x=16>} {
    // expected-error @+1 {{axis x: a reduction over it into integers has a streamed state only among sums of products of integers; convert to f32 before it}}
    %m = ncd.reduce max %a over [x] : !t -> !v
    ncd.yield %m : !v
  }
  ncd.return %r : !v
}

// -----

!t = !ncd.array<q=8, x=64, f32>
!v = !ncd.array<q=8, f32>

ncd.diagram @region(%t: !t) -> !v {
  // expected-note @+1 {{in this kernel}}
  %r = ncd.kernel (%a = %t : !t) -> (!v) attributes {stream = #ncd.partition<x=16>} {
    %n = ncd.reduce sum %a over [x] : !t -> !v
    // expected-note @+1 {{the sub-expression is computed here}}
    %d = ncd.map %a, %n {
    ^bb0(%e: f32, %f: f32):
      %z = arith.mulf %e, %f : f32
      ncd.yield %z : f32
    } : !t, !v -> !t
    // expected-error @+1 {{a reduction by region streams only over a value that needs no other reduction over x}}
    %m = ncd.reduce %d over [x] identity(0.000000e+00 : f32) {
    ^bb0(%l: f32, %r: f32):
      %p = math.absf %l : f32
      %q = math.absf %r : f32
      %v = arith.maximumf %p, %q : f32
      ncd.yield %v : f32
    } : !t -> !v
    ncd.yield %m : !v
  }
  ncd.return %r : !v
}

// -----

// A kernel without a stream axis is left alone.

!t = !ncd.array<q=8, x=64, f32>
!v = !ncd.array<q=8, f32>

ncd.diagram @whole(%t: !t) -> !v {
  %r = ncd.kernel (%a = %t : !t) -> (!v) attributes {group = #ncd.partition<q=4>} {
    %m = ncd.reduce max %a over [x] : !t -> !v
    ncd.yield %m : !v
  }
  ncd.return %r : !v
}
