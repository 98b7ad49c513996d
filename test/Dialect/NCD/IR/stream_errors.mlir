// RUN: napkin-opt %s --split-input-file --verify-diagnostics

!s = !ncd.array<q=8, f32>
!t = !ncd.array<q=8, x=64, f32>

// An operand without the axis.
ncd.diagram @d(%w: !s) {
  // expected-error @below {{operand 0 does not carry the streamed axis 'x'; use it directly instead of through 'ins'}}
  ncd.stream "x" ins(%w : !s) -> () state()
  init { ncd.yield } step { ^bb0(%c: !s): ncd.yield } merge { ncd.yield } finish { ncd.yield }
  ncd.return
}

// -----

!t = !ncd.array<q=8, x=64, f32>

// A state or a result with the axis.
ncd.diagram @d(%t: !t) {
  // expected-error @below {{state 0 carries the streamed axis 'x'; its size must not depend on the axis}}
  ncd.stream "x" ins(%t : !t) -> () state(!t)
  init { ncd.yield } step { ncd.yield } merge { ncd.yield } finish { ncd.yield }
  ncd.return
}

// -----

!t = !ncd.array<q=8, x=64, f32>

ncd.diagram @d(%t: !t) {
  // expected-error @below {{result 1 lacks the streamed axis 'x' and stands behind one that carries it; first come what 'finish' yields, then what 'step' yields chunk by chunk}}
  %r:2 = ncd.stream "x" ins(%t : !t) -> (!t, !ncd.array<q=8, f32>) state()
  init { ncd.yield } step { ncd.yield } merge { ncd.yield } finish { ncd.yield }
  ncd.return
}

// -----

!t = !ncd.array<q=8, x=64, f32>

ncd.diagram @d(%t: !t) {
  // expected-error @below {{'step' takes 0 arguments, but 1 are given to it}}
  %r = ncd.stream "x" ins(%t : !t) -> (!t) state()
  init { ncd.yield } step { ncd.yield } merge { ncd.yield } finish { ncd.yield }
  ncd.return
}

// -----

!t = !ncd.array<q=8, x=64, f32>

ncd.diagram @d(%t: !t) {
  %r = ncd.stream "x" ins(%t : !t) -> (!t) state()
  init { ncd.yield } step {
  ^bb0(%c: !t):
    // expected-error @below {{gives 0 values, but 'step' of 'ncd.stream' must give 1}}
    ncd.yield
  } merge { ncd.yield } finish { ncd.yield }
  ncd.return
}

// -----

ncd.diagram @d() {
  // expected-error @below {{state 0 has type 'f32'; the state is made of arrays}}
  ncd.stream "x" ins() -> () state(f32)
  init { ncd.yield } step { ncd.yield } merge { ncd.yield } finish { ncd.yield }
  ncd.return
}

// -----

// One description for each member of the state.
ncd.diagram @d() {
  // expected-error @below {{'gauges' describes 1 members of the state, but there are 0}}
  ncd.stream "x" ins() -> () state() gauges [{}]
  init { ncd.yield } step { ncd.yield } merge { ncd.yield } finish { ncd.yield }
  ncd.return
}

// -----

!s = !ncd.array<q=8, f32>
!t = !ncd.array<q=8, x=64, f32>

// An array with the axis comes in through `ins`.
// expected-note @below {{the array is defined here}}
ncd.diagram @d(%t: !t) {
  %r = ncd.stream "x" ins() -> (!s) state(!s)
  init {
    // expected-error @below {{uses an array with the streamed axis 'x' from outside; pass it through 'ins' of the stream}}
    %m = ncd.reduce max %t over [x] : !t -> !s
    ncd.yield %m : !s
  } step {
  ^bb0(%a: !s):
    ncd.yield %a : !s
  } merge {
  ^bb0(%a: !s, %b: !s):
    ncd.yield %a : !s
  } finish {
  ^bb0(%a: !s):
    ncd.yield %a : !s
  }
  ncd.return
}

// -----

!s = !ncd.array<q=8, f32>
!t = !ncd.array<q=8, x=64, f32>

// There are chunks in `step` only.
ncd.diagram @d() {
  ncd.stream "x" ins() -> () state()
  init {
    // expected-error @below {{carries the streamed axis 'x' outside of 'step'; there is no chunk there}}
    %m = ncd.map {
      %c = arith.constant 0.0 : f32
      ncd.yield %c : f32
    } : -> !t
    ncd.yield
  } step { ncd.yield } merge { ncd.yield } finish { ncd.yield }
  ncd.return
}

// -----

!s = !ncd.array<q=8, f32>
!t = !ncd.array<q=8, x=64, f32>

// Types at the borders of the regions.
ncd.diagram @d(%t: !t) {
  // expected-error @below {{'step' takes 1 arguments, but 2 are given to it}}
  %r = ncd.stream "x" ins(%t : !t) -> (!s) state(!s)
  init {
    %m = ncd.map {
      %c = arith.constant 0.0 : f32
      ncd.yield %c : f32
    } : -> !s
    ncd.yield %m : !s
  } step {
  ^bb0(%a: !s):
    ncd.yield %a : !s
  } merge {
  ^bb0(%a: !s, %b: !s):
    ncd.yield %a : !s
  } finish {
  ^bb0(%a: !s):
    ncd.yield %a : !s
  }
  ncd.return
}

// -----

!s = !ncd.array<q=8, f32>

ncd.diagram @d() {
  %r = ncd.stream "x" ins() -> (!s) state(!s)
  init {
    // expected-error @below {{gives 0 values, but 'init' of 'ncd.stream' must give 1}}
    ncd.yield
  } step {
  ^bb0(%a: !s):
    ncd.yield %a : !s
  } merge {
  ^bb0(%a: !s, %b: !s):
    ncd.yield %a : !s
  } finish {
  ^bb0(%a: !s):
    ncd.yield %a : !s
  }
  ncd.return
}

// -----

// All four regions are there.
ncd.diagram @d() {
  ncd.stream "x" ins() -> () state()
  init { ncd.yield } step { ncd.yield }
  // expected-error @below {{expected 'merge'}}
  ncd.return
}

// -----

!u = !ncd.array<q=64, f32>
!v = !ncd.array<q=64, x=512, f32>

ncd.diagram @d(%t: !v) -> !u {
  %r = ncd.kernel (%a = %t : !v) -> (!u) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    // expected-error @below {{a bound asks for the tile of axis 'z', which 'group' of the kernel does not cut}}
    %s = ncd.stream "x" from first(z) ins(%a : !v) -> (!u) state(!u)
    init {
      %zero = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !u
      ncd.yield %zero : !u
    } step {
    ^bb0(%state: !u, %chunk: !v):
      ncd.yield %state : !u
    } merge {
    ^bb0(%left: !u, %right: !u):
      ncd.yield %left : !u
    } finish {
    ^bb0(%state: !u):
      ncd.yield %state : !u
    }
    ncd.yield %s : !u
  }
  ncd.return %r : !u
}

// -----

!u = !ncd.array<q=64, f32>
!v = !ncd.array<q=64, x=512, f32>

ncd.diagram @d(%t: !v) -> !u {
  %r = ncd.kernel (%a = %t : !v) -> (!u) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    // expected-error @below {{'to' lists no bound; leave it out to walk to the end of the axis}}
    %s = ncd.stream "x" to [] ins(%a : !v) -> (!u) state(!u)
    init {
      %zero = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !u
      ncd.yield %zero : !u
    } step {
    ^bb0(%state: !u, %chunk: !v):
      ncd.yield %state : !u
    } merge {
    ^bb0(%left: !u, %right: !u):
      ncd.yield %left : !u
    } finish {
    ^bb0(%state: !u):
      ncd.yield %state : !u
    }
    ncd.yield %s : !u
  }
  ncd.return %r : !u
}

// -----

!u = !ncd.array<q=64, f32>
!v = !ncd.array<q=64, x=512, f32>

ncd.diagram @d(%t: !v) -> !u {
  %r = ncd.kernel (%a = %t : !v) -> (!u) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    // expected-error @below {{chunks are 32 positions of axis 'x', and a bound before the last one is no multiple of that; write it with 'floor'}}
    %s = ncd.stream "x" from first(q) - 1 to [last(q)] ins(%a : !v) -> (!u) state(!u)
    init {
      %zero = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !u
      ncd.yield %zero : !u
    } step {
    ^bb0(%state: !u, %chunk: !v):
      ncd.yield %state : !u
    } merge {
    ^bb0(%left: !u, %right: !u):
      ncd.yield %left : !u
    } finish {
    ^bb0(%state: !u):
      ncd.yield %state : !u
    }
    ncd.yield %s : !u
  }
  ncd.return %r : !u
}

// -----

!u = !ncd.array<q=64, f32>
!v = !ncd.array<q=64, x=512, f32>

ncd.diagram @d(%t: !v) -> !u {
  %r = ncd.kernel (%a = %t : !v) -> (!u) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    // expected-error @below {{chunks are 32 positions of axis 'x', and a bound before the last one is no multiple of that; write it with 'floor'}}
    %s = ncd.stream "x" to [max(floor(first(q), 32), 100), last(q)] ins(%a : !v) -> (!u) state(!u)
    init {
      %zero = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !u
      ncd.yield %zero : !u
    } step {
    ^bb0(%state: !u, %chunk: !v):
      ncd.yield %state : !u
    } merge {
    ^bb0(%left: !u, %right: !u):
      ncd.yield %left : !u
    } finish {
    ^bb0(%state: !u):
      ncd.yield %state : !u
    }
    ncd.yield %s : !u
  }
  ncd.return %r : !u
}

// -----

// expected-error @below {{expected a number, 'first', 'last', 'floor', 'max' or 'min'}}
ncd.diagram @d() attributes {test.bound = #ncd.bound<start(q)>} {
  ncd.return
}

// -----

// expected-error @below {{a bound is rounded down to a multiple of at least 1, not 0}}
ncd.diagram @d() attributes {test.bound = #ncd.bound<floor(first(q), 0)>} {
  ncd.return
}

// -----

// expected-error @below {{'floor' stands too far outside: a bound is min(max(floor(...)))}}
ncd.diagram @d() attributes {test.bound = #ncd.bound<floor(max(first(q), 3), 4)>} {
  ncd.return
}

// -----

// expected-error @below {{'max' stands too far outside: a bound is min(max(floor(...)))}}
ncd.diagram @d() attributes {test.bound = #ncd.bound<max(min(first(q), 3), 4)>} {
  ncd.return
}

// -----

// expected-error @below {{a bound is at least 4 by 'max' and at most 3 by 'min'; the first is the smaller one}}
ncd.diagram @d() attributes {test.bound = #ncd.bound<min(max(first(q), 4), 3)>} {
  ncd.return
}

// -----

// expected-error @below {{the position that a bound asks for is divided by at least 1, not 0}}
ncd.diagram @d() attributes {test.bound = #ncd.bound<first(q_m / 0)>} {
  ncd.return
}
