// RUN: napkin-opt --ncd-bound-streams %s | FileCheck %s
// RUN: napkin-opt --ncd-bound-streams --ncd-bound-streams %s | FileCheck %s

// Which conditions on positions bound a walk: those under which the step gives back its state,
// whatever that is. The bounds are for the kernel's tiles of q by 16 and chunks of x by 32; where the
// condition holds for a whole tile a range ends.

!t = !ncd.array<q=512, x=512, f32>
!r = !ncd.array<q=512, f32>

// Sums of zeros.
// CHECK-LABEL: @sum
// CHECK: ncd.stream "x" to [floor(first(q) + 1, 32), last(q) + 1] ins
ncd.diagram @sum(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 0.0 : f32
        %seen = arith.cmpi sle, %x, %q : index
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce sum %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// Hidden positions count.
// CHECK-LABEL: @ones
// CHECK: ncd.stream "x" ins
ncd.diagram @ones(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 1.0 : f32
        %seen = arith.cmpi sle, %x, %q : index
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce sum %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// A maximum with minus infinity.
// CHECK-LABEL: @maximum
// CHECK: ncd.stream "x" to [floor(first(q) + 1, 32), last(q) + 1] ins
ncd.diagram @maximum(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0xFF800000 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %x, %q : index
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce max %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.maximumf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.maximumf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// One with a finite number is another number where the state is smaller.
// CHECK-LABEL: @finite
// CHECK: ncd.stream "x" ins
ncd.diagram @finite(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0xFF800000 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant -1.0e30 : f32
        %seen = arith.cmpi sle, %x, %q : index
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce max %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.maximumf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.maximumf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// A NaN stays.
// CHECK-LABEL: @nan
// CHECK: ncd.stream "x" ins
ncd.diagram @nan(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0xFF800000 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 0x7FC00000 : f32
        %seen = arith.cmpi sle, %x, %q : index
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce max %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.maximumf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.maximumf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// What is added behind the mask is not hidden.
// CHECK-LABEL: @unmasked
// CHECK: ncd.stream "x" ins
ncd.diagram @unmasked(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 0.0 : f32
        %seen = arith.cmpi sle, %x, %q : index
        %y = arith.select %seen, %e, %none : f32
        %o = arith.constant 1.0 : f32
        %z = arith.addf %y, %o : f32
        ncd.yield %z : f32
      } : !t -> !t
      %p = ncd.reduce sum %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// A mask as a factor.
// CHECK-LABEL: @factor
// CHECK: ncd.stream "x" to [floor(first(q) + 1, 32), last(q) + 1] ins
ncd.diagram @factor(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %seen = arith.cmpi ule, %x, %q : index
        %bit = arith.extui %seen : i1 to i32
        %w = arith.sitofp %bit : i32 to f32
        %y = arith.mulf %e, %w : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce sum %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// A window: masked, whole and masked ranges.
// CHECK-LABEL: @window
// CHECK: ncd.stream "x" from floor(first(q) - 99, 32) to [floor(last(q) - 68, 32), floor(first(q) + 1, 32), last(q) + 1] ins
ncd.diagram @window(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 0.0 : f32
        %w = arith.constant 99 : index
        %back = arith.subi %q, %x : index
        %near = arith.cmpi sle, %back, %w : index
        %causal = arith.cmpi sge, %q, %x : index
        %seen = arith.andi %near, %causal : i1
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce sum %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// No chunk is inside of it for all rows.
// CHECK-LABEL: @narrow
// CHECK: ncd.stream "x" from floor(first(q) - 8, 32) to [last(q) + 9] ins
ncd.diagram @narrow(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 0.0 : f32
        %w = arith.constant 9 : index
        %back = arith.subi %q, %x : index
        %far = math.absi %back : index
        %seen = arith.cmpi slt, %far, %w : index
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce sum %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// Seen by the one or the other condition.
// CHECK-LABEL: @either
// CHECK: ncd.stream "x" to [max(last(q) + 1, 99)] ins
ncd.diagram @either(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 0.0 : f32
        %w = arith.constant 99 : index
        %prefix = arith.cmpi slt, %x, %w : index
        %causal = arith.cmpi sge, %q, %x : index
        %seen = arith.ori %prefix, %causal : i1
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce sum %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// What lies between is hidden, but a walk has two ends only.
// CHECK-LABEL: @apart
// CHECK: ncd.stream "x" ins
ncd.diagram @apart(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 0.0 : f32
        %w = arith.constant 99 : index
        %d = arith.constant 200 : index
        %prefix = arith.cmpi slt, %x, %w : index
        %tail = arith.cmpi sge, %x, %d : index
        %seen = arith.ori %prefix, %tail : i1
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce sum %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}

// A position is not at a distance from another one; only the ends of the axes tell: 2 x is at most 511.
// CHECK-LABEL: @twice
// CHECK: ncd.stream "x" to [256] ins
ncd.diagram @twice(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 0.0 : f32
        %two = arith.constant 2 : index
        %x2 = arith.muli %x, %two : index
        %seen = arith.cmpi sle, %x2, %q : index
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce sum %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}
