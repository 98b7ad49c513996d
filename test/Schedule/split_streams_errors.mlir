// RUN: napkin-opt %s --split-input-file --verify-diagnostics --ncd-split-streams

!x = !ncd.array<q=8, x=64, f32>
!r = !ncd.array<q=8, f32>

// The stream is derived first.
ncd.diagram @early(%x: !x) -> !r {
  // expected-error @below {{axis 'x' is split into parts, and no stream over it is in the kernel; run ncd-derive-stream first}}
  %r = ncd.kernel (%t = %x : !x) -> (!r) attributes {stream = #ncd.partition<x=16>, split = #ncd.split<x by 32, parts = p>} {
    %s = ncd.reduce sum %t over [x] : !x -> !r
    ncd.yield %s : !r
  }
  ncd.return %r : !r
}

// -----

!x = !ncd.array<q=8, x=64, f32>
!n = !ncd.array<x=64, f32>
!s = !ncd.array<f32>
!r = !ncd.array<q=8, f32>

// Each block of q would write the sum over x alone.
ncd.diagram @shared(%x: !n, %y: !r) -> !r {
  // expected-error @below {{axis 'x' cannot be split: member 0 of the state lacks axis 'q', which is cut across blocks, so several blocks would write it; leave 'q' whole, or drop the split}}
  %r = ncd.kernel (%t = %x, %u = %y : !n, !r) -> (!r) attributes {group = #ncd.partition<q=2>, order = ["q"], stream = #ncd.partition<x=16>, split = #ncd.split<x by 32, parts = p>} {
    %s = ncd.stream "x" ins(%t : !n) -> (!s) state(!s)
    init {
      %z = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !s
      ncd.yield %z : !s
    } step {
    ^bb0(%a: !s, %c: !n):
      %p = ncd.reduce sum %c over [x] : !n -> !s
      ncd.yield %p : !s
    } merge {
    ^bb0(%a: !s, %b: !s):
      ncd.yield %a : !s
    } finish {
    ^bb0(%a: !s):
      ncd.yield %a : !s
    }
    %v = ncd.map %s, %u {
    ^bb0(%a: f32, %b: f32):
      %w = arith.addf %a, %b : f32
      ncd.yield %w : f32
    } : !s, !r -> !r
    ncd.yield %v : !r
  }
  ncd.return %r : !r
}

// -----

!x = !ncd.array<q=8, x=64, f32>
!r = !ncd.array<q=8, f32>
ncd.diagram @twice(%x: !x) -> (!r, !r) {
  // expected-error @below {{axis 'x' is split into parts, and two streams over it are in the kernel; split one, in a kernel of its own}}
  %r:2 = ncd.kernel (%t = %x : !x) -> (!r, !r) attributes {stream = #ncd.partition<x=16>, split = #ncd.split<x by 32, parts = p>} {
    %s = ncd.stream "x" ins(%t : !x) -> (!r) state(!r) init {
      %z = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %z : !r
    } step {
    ^bb0(%a: !r, %c: !x):
      %p = ncd.reduce sum %c over [x] : !x -> !r
      ncd.yield %p : !r
    } merge {
    ^bb0(%a: !r, %b: !r):
      ncd.yield %a : !r
    } finish {
    ^bb0(%a: !r):
      ncd.yield %a : !r
    }
    %u = ncd.stream "x" ins(%t : !x) -> (!r) state(!r) init {
      %z = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %z : !r
    } step {
    ^bb0(%a: !r, %c: !x):
      %p = ncd.reduce max %c over [x] : !x -> !r
      ncd.yield %p : !r
    } merge {
    ^bb0(%a: !r, %b: !r):
      ncd.yield %a : !r
    } finish {
    ^bb0(%a: !r):
      ncd.yield %a : !r
    }
    ncd.yield %s, %u : !r, !r
  }
  ncd.return %r#0, %r#1 : !r, !r
}

// -----

!x = !ncd.array<q=8, x=64, f32>
!r = !ncd.array<q=8, f32>
ncd.diagram @appended(%x: !x) -> (!r, !x) {
  // expected-error @below {{axis 'x' cannot be split: a result carries it, which is written chunk by chunk; end the kernel before it, or drop the split}}
  %r:2 = ncd.kernel (%t = %x : !x) -> (!r, !x) attributes {stream = #ncd.partition<x=16>, split = #ncd.split<x by 32, parts = p>} {
    %s:2 = ncd.stream "x" ins(%t : !x) -> (!r, !x) state(!r) init {
      %z = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %z : !r
    } step {
    ^bb0(%a: !r, %c: !x):
      %p = ncd.reduce sum %c over [x] : !x -> !r
      %n = ncd.map %c {
      ^bb0(%e: f32):
        %m = arith.negf %e : f32
        ncd.yield %m : f32
      } : !x -> !x
      ncd.yield %p, %n : !r, !x
    } merge {
    ^bb0(%a: !r, %b: !r):
      ncd.yield %a : !r
    } finish {
    ^bb0(%a: !r):
      ncd.yield %a : !r
    }
    ncd.yield %s#0, %s#1 : !r, !x
  }
  ncd.return %r#0, %r#1 : !r, !x
}
