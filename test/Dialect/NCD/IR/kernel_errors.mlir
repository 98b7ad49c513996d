// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// A partition of an axis that is not there.
ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{'group' cuts axis 'y', which no array in the kernel carries; drop it or name another axis}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {group = #ncd.partition<y=2>} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{'stream' cuts axis 'x' of size 4 into tiles of 8; use at most 4}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<f32>) attributes {stream = #ncd.partition<x=8>} {
    %r = ncd.reduce sum %b over [x] : !ncd.array<x=4, f32> -> !ncd.array<f32>
    ncd.yield %r : !ncd.array<f32>
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{axis 'x' is in both 'group' and 'stream'; cut it across blocks or in chunks}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {group = #ncd.partition<x=2>, stream = #ncd.partition<x=2>} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

// Partitions themselves.
ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{axis 'x' of partition has size 0; sizes are positive}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {group = #ncd.partition<x=0>} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{partition names axis 'x' twice; give the second one a name of its own}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {group = #ncd.partition<x=1, x=2>} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

// The grid's order.
ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{'order' names axis 'y', which 'group' does not cut; add it to 'group' or drop it}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {group = #ncd.partition<x=1>, order = ["x", "y"]} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{'order' names axis 'x' twice; name it once}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {group = #ncd.partition<x=1>, order = ["x", "x"]} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=4, y=4, f32>) {
  // expected-error @below {{'order' lacks axis 'y' of 'group'; say where it comes}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, y=4, f32>) -> (!ncd.array<x=4, y=4, f32>) attributes {group = #ncd.partition<x=1, y=1>, order = ["x"]} {
    ncd.yield %b : !ncd.array<x=4, y=4, f32>
  }
  ncd.return
}

// -----

// Numbers, misspelt names, values of another kind.
ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{'warps' is 0; a block has at least one}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {warps = 0 : i32} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{'stages' is -1; a pipeline has at least one buffer}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {stages = -1 : i32} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{'parts' is 3; lanes keep a power of two of parts, at most 32}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {parts = 3 : i32} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{has an unknown attribute 'warp'; known are group, stream, split, order, grouped, persistent, hardware, warps, rows, row_warps, reread, stages, lazy, padded, parts, views, entry, and names with a dialect's prefix}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {warp = 4 : i32} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{attribute 'group' failed to satisfy constraint: tile sizes of some axes}}
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<x=4, f32>) attributes {group = 3} {
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

// Types at the border.
ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  %o = ncd.kernel (%b = %a : !ncd.array<x=4, f32>) -> (!ncd.array<f32>) {
    // expected-error @below {{value 0 has type '!ncd.array<x=4, f32>', but the region of 'ncd.kernel' must give '!ncd.array<f32>'}}
    ncd.yield %b : !ncd.array<x=4, f32>
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  // expected-error @below {{the region takes 0 arguments, but 1 are given to it}}
  "ncd.kernel"(%a) ({
    "ncd.yield"() : () -> ()
  }) : (!ncd.array<x=4, f32>) -> ()
  ncd.return
}

// -----

ncd.diagram @d() {
  // expected-error @below {{the region must end with 'ncd.yield'}}
  ncd.kernel () -> () {
    llvm.unreachable
  }
  ncd.return
}

// -----

// expected-note @below {{the value is defined here}}
ncd.diagram @d(%a: !ncd.array<x=4, f32>) {
  "ncd.kernel"() ({
    // expected-error @below {{uses a value from outside the region of 'ncd.kernel'; pass it to the kernel, as in 'ncd.kernel (%a = %value : type)'}}
    %m = ncd.reduce max %a over [x] : !ncd.array<x=4, f32> -> !ncd.array<f32>
    "ncd.yield"() : () -> ()
  }) : () -> ()
  ncd.return
}

// -----

ncd.diagram @d() {
  ncd.kernel () -> () {
    // expected-error @below {{is inside another kernel; a kernel is one launch}}
    ncd.kernel () -> () {
      ncd.yield
    }
    ncd.yield
  }
  ncd.return
}

// -----

ncd.diagram @d(%a: !ncd.array<m=4, n=4, f32>) {
  // expected-error @below {{'grouped' is #ncd.partition<n=2>; it names one axis of 'group' that is not the last one in 'order'}}
  %o = ncd.kernel (%b = %a : !ncd.array<m=4, n=4, f32>) -> (!ncd.array<m=4, n=4, f32>) attributes {group = #ncd.partition<m=1, n=1>, grouped = #ncd.partition<n=2>} {
    ncd.yield %b : !ncd.array<m=4, n=4, f32>
  }
  ncd.return
}

// -----

!x = !ncd.array<q=8, x=64, f32>
!r = !ncd.array<q=8, f32>
ncd.diagram @d(%x: !x) -> !r {
  // expected-error @below {{'split' cuts axis 'x' into parts of 24, which are no whole chunks of 16; use a multiple}}
  %r = ncd.kernel (%t = %x : !x) -> (!r) attributes {stream = #ncd.partition<x=16>, split = #ncd.split<x by 24, parts = p>} {
    %s = ncd.reduce sum %t over [x] : !x -> !r
    ncd.yield %s : !r
  }
  ncd.return %r : !r
}

// -----

!x = !ncd.array<q=8, x=64, f32>
!r = !ncd.array<q=8, f32>
!p = !ncd.array<p=2, q=8, f32>

// Either all parts are written, or none: then they are yet to be merged.
ncd.diagram @d(%x: !x) -> (!p, !r) {
  // expected-error @below {{result 1 of a split kernel has to begin with axis p=2}}
  %r:2 = ncd.kernel (%t = %x : !x) -> (!p, !r) attributes {stream = #ncd.partition<x=16>, split = #ncd.split<x by 32, parts = p>} {
    %s = ncd.reduce sum %t over [x] : !x -> !r
    ncd.yield %s, %s : !r, !r
  }
  ncd.return %r#0, %r#1 : !p, !r
}

// -----

!t = !ncd.array<a=64, f32>
ncd.diagram @d(%t: !t) -> !t {
  // expected-error @below {{'persistent' is 0; at least one block walks the grid}}
  %r = ncd.kernel (%a = %t : !t) -> (!t) attributes {group = #ncd.partition<a=16>, persistent = 0 : i32} {
    ncd.yield %a : !t
  }
  ncd.return %r : !t
}

// -----

!t = !ncd.array<a=64, f32>
ncd.diagram @d(%t: !t) -> !t {
  // expected-error @below {{is 'persistent' and has no 'group', so no grid to walk; cut an axis across blocks}}
  %r = ncd.kernel (%a = %t : !t) -> (!t) attributes {persistent = 4 : i32} {
    ncd.yield %a : !t
  }
  ncd.return %r : !t
}
