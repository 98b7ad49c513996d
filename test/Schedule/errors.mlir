// RUN: napkin-opt %s --split-input-file --verify-diagnostics --ncd-schedule

// An operation that must be decomposed first.
!t = !ncd.array<a=64, x=64, f32>
ncd.diagram @composed(%t: !t) -> !t {
  // expected-error@+1 {{has no schedule: only ncd.contract, ncd.map and ncd.reduce do; run ncd-decompose and ncd-place-views first}}
  %p = ncd.softmax %t over [x] : !t -> !t
  ncd.return %p : !t
}

// -----

// Sizes are what schedules are made for.
!t = !ncd.array<a=?, f32>
// expected-error@+1 {{axis 'a' has no static size, and schedules are made for sizes; write its size}}
ncd.diagram @dynamic(%t: !t) -> !t {
  %p = ncd.map %t {
  ^bb0(%e: f32):
    ncd.yield %e : f32
  } : !t -> !t
  ncd.return %p : !t
}

// -----

// A result that carries the reduced axis, with a row no block can hold, and a sum that needs the maximum: no pass over
// the row ends with both.
!t = !ncd.array<a=4, x=4194304, f32>
!r = !ncd.array<a=4, f32>
ncd.diagram @long(%t: !t) -> !t {
  // expected-error@+1 {{axis 'x' of size 4194304 does not fit}}
  %m = ncd.reduce max %t over [x] attributes {ncd.pin = {kernel = 0}} : !t -> !r
  %f = ncd.map %t, %m attributes {ncd.pin = {kernel = 0}} {
  ^bb0(%e: f32, %b: f32):
    %p = arith.mulf %e, %b : f32
    %q = math.tanh %p : f32
    ncd.yield %q : f32
  } : !t, !r -> !t
  %n = ncd.reduce sum %f over [x] attributes {ncd.pin = {kernel = 0}} : !t -> !r
  %p = ncd.map %t, %n attributes {ncd.pin = {kernel = 0}} {
  ^bb0(%e: f32, %b: f32):
    %s = arith.subf %e, %b : f32
    ncd.yield %s : f32
  } : !t, !r -> !t
  ncd.return %p : !t
}

// -----

// A pin that nothing can use.
!l = !ncd.array<a=64, b=64, bf16>
!r = !ncd.array<b=64, c=64, bf16>
!o = !ncd.array<a=64, c=64, bf16>
// expected-error@+1 {{axis 'b' is pinned as group axis (= 16), but no kernel can use it so: a group axis is in every result of the kernel and reduced nowhere in it; drop the pin}}
ncd.diagram @useless(%l: !l, %r: !r) -> !o attributes {ncd.pin = {group = #ncd.partition<b=16>}} {
  %o = ncd.contract %l, %r over [b] : !l, !r -> !o
  ncd.return %o : !o
}

// -----

!t = !ncd.array<a=64, f32>
// expected-error@+1 {{a pinned group axis 'z' (= 16) is not an axis of the diagram; drop the pin}}
ncd.diagram @unknown(%t: !t) -> !t attributes {ncd.pin = {group = #ncd.partition<z=16>}} {
  %p = ncd.map %t {
  ^bb0(%e: f32):
    ncd.yield %e : f32
  } : !t -> !t
  ncd.return %p : !t
}

// -----

!t = !ncd.array<a=64, f32>
// expected-error@+1 {{'ncd.pin' has 'warp' = 4 : i32; it takes group, stream and split (#ncd.partition), warps, stages and parts (positive integers), and padded, reread and lazy (true or false)}}
ncd.diagram @misspelt(%t: !t) -> !t attributes {ncd.pin = {warp = 4 : i32}} {
  %p = ncd.map %t {
  ^bb0(%e: f32):
    ncd.yield %e : f32
  } : !t -> !t
  ncd.return %p : !t
}

// -----

// Warps that do not own whole rows cannot be had by asking.
!q = !ncd.array<q=512, d=128, bf16>
!k = !ncd.array<x=512, d=128, bf16>
!s = !ncd.array<q=512, x=512, f32>
!p = !ncd.array<q=512, x=512, bf16>
ncd.diagram @pinned_tile(%l: !q, %r: !k) -> !s attributes {ncd.pin = {group = #ncd.partition<q=512, x=512>}} {
  // expected-error@+1 {{change or drop the pinned decisions (group q = 512, group x = 512)}}
  %o = ncd.contract %l, %r over [d] : !q, !k -> !s
  ncd.return %o : !s
}

// -----

// What cannot be met is an error: nothing is clamped and nothing dropped.
!t = !ncd.array<a=100, f32>
// expected-error@+1 {{axis 'a' is pinned to group = 128, and its size is 100; pin 1 to 100}}
ncd.diagram @too_long(%t: !t) -> !t attributes {ncd.pin = {group = #ncd.partition<a=128>}} {
  %p = ncd.map %t {
  ^bb0(%e: f32):
    %r = arith.negf %e : f32
    ncd.yield %r : f32
  } : !t -> !t
  ncd.return %p : !t
}

// -----

!l = !ncd.array<a=64, b=64, bf16>
!r = !ncd.array<b=64, c=64, bf16>
!o = !ncd.array<a=64, c=64, bf16>
// expected-error@+1 {{axis 'b' is pinned to stream = 128, and its size is 64; pin 1 to 64}}
ncd.diagram @long_chunk(%l: !l, %r: !r) -> !o attributes {ncd.pin = {stream = #ncd.partition<b=128>}} {
  %o = ncd.contract %l, %r over [b] : !l, !r -> !o
  ncd.return %o : !o
}

// -----

!l = !ncd.array<a=64, b=64, bf16>
!r = !ncd.array<b=64, c=64, bf16>
!o = !ncd.array<a=64, c=64, bf16>
// expected-error@+1 {{stages = 4 is pinned, but the longest loop has work for 3; pin at most that, or a smaller chunk}}
ncd.diagram @deep(%l: !l, %r: !r) -> !o attributes {ncd.pin = {stream = #ncd.partition<b=32>, stages = 4 : i32}} {
  %o = ncd.contract %l, %r over [b] : !l, !r -> !o
  ncd.return %o : !o
}

// -----

!t = !ncd.array<a=64, f32>
// expected-error@+1 {{stages = 2 is pinned, but no kernel multiplies what a loop brings in, so there are no stages; drop the pin}}
ncd.diagram @no_loop(%t: !t) -> !t attributes {ncd.pin = {stages = 2 : i32}} {
  %p = ncd.map %t {
  ^bb0(%e: f32):
    %r = arith.negf %e : f32
    ncd.yield %r : f32
  } : !t -> !t
  ncd.return %p : !t
}

// -----

!t = !ncd.array<a=64, f32>
// expected-error@+1 {{pinned warps = 3 is not possible; choose 1, 2, 4, 8, 16 or 32}}
ncd.diagram @odd_warps(%t: !t) -> !t attributes {ncd.pin = {warps = 3 : i32}} {
  %p = ncd.map %t {
  ^bb0(%e: f32):
    %r = arith.negf %e : f32
    ncd.yield %r : f32
  } : !t -> !t
  ncd.return %p : !t
}

// -----

!t = !ncd.array<a=64, f32>
// expected-error@+1 {{'ncd.pin' is a dictionary of group, stream, split, warps, stages, padded, reread, lazy and parts}}
ncd.diagram @no_dictionary(%t: !t) -> !t attributes {ncd.pin = 4 : i32} {
  %p = ncd.map %t {
  ^bb0(%e: f32):
    %r = arith.negf %e : f32
    ncd.yield %r : f32
  } : !t -> !t
  ncd.return %p : !t
}

// -----

// More axes than a tile has dimensions.
!t = !ncd.array<a=2, b=2, c=2, d=64, f32>
!u = !ncd.array<b=2, d=64, f32>
ncd.diagram @dimensions(%x: !t, %y: !u) -> !t attributes {ncd.pin = {group = #ncd.partition<a=2, b=2, c=2, d=64>}} {
  // expected-error@+1 {{the tile of 'x' is longer than 1 along 4 axes (a=2, b=2, c=2, d=64), and a block holds tiles of at most 2}}
  %z = ncd.map %x, %y {
  ^bb0(%e: f32, %g: f32):
    %r = arith.addf %e, %g : f32
    ncd.yield %r : f32
  } : !t, !u -> !t
  ncd.return %z : !t
}

// -----

!a = !ncd.array<b=8, m=64, k=64, bf16>
!b = !ncd.array<b=8, k=64, n=64, bf16>
!c = !ncd.array<b=8, m=64, n=64, f32>
ncd.diagram @batch(%x: !a, %y: !b) -> !c attributes {ncd.pin = {group = #ncd.partition<b=2>}} {
  // expected-error@+1 {{axis 'b' is in both factors and in the product 'contract[b,m,n]', so a block takes one position of it, not 2; change or drop the pinned decisions (group b = 2)}}
  %c = ncd.contract %x, %y over [k] : !a, !b -> !c
  ncd.return %c : !c
}

// -----

!a = !ncd.array<m=64, k=64, bf16>
!b = !ncd.array<k=64, n=64, bf16>
!c = !ncd.array<m=64, n=64, f32>
ncd.diagram @vector(%x: !a, %y: !b) -> !c attributes {ncd.pin = {group = #ncd.partition<m=1>}} {
  // expected-error@+1 {{needs one axis longer than 1 as rows, one as columns and one that is summed; in a block it has 0, 1 and 1}}
  %c = ncd.contract %x, %y over [k] : !a, !b -> !c
  ncd.return %c : !c
}

// -----

!a = !ncd.array<m=64, k=64, bf16>
!b = !ncd.array<k=64, n=64, bf16>
!c = !ncd.array<m=64, n=64, f32>
ncd.diagram @crowd(%x: !a, %y: !b) -> !c attributes {ncd.pin = {warps = 32 : i32}} {
  // expected-error@+1 {{32 warps are more than 8; change or drop the pinned decisions (warps = 32)}}
  %c = ncd.contract %x, %y over [k] : !a, !b -> !c
  ncd.return %c : !c
}

// -----

!t = !ncd.array<a=64, f32>
!u = !ncd.array<b=32, f32>
ncd.diagram @strangers(%x: !t, %y: !u) -> (!t, !u) {
  // expected-error@+1 {{the pinned kernels do not hang together by the values they pass on; change the pinned kernels}}
  %p = ncd.map %x attributes {ncd.pin = {kernel = 0}} {
  ^bb0(%e: f32):
    %r = arith.negf %e : f32
    ncd.yield %r : f32
  } : !t -> !t
  %q = ncd.map %y attributes {ncd.pin = {kernel = 0}} {
  ^bb0(%e: f32):
    %r = arith.negf %e : f32
    ncd.yield %r : f32
  } : !u -> !u
  ncd.return %p, %q : !t, !u
}

// -----

// expected-error @below {{argument 'x' lies with strides, which kernels know of views; run ncd-place-views first}}
ncd.diagram @strides(%x: !ncd.array<m=8:1, n=4:8, f32>) -> !ncd.array<m=8, f32> {
  %y = ncd.reduce sum %x over [n] : !ncd.array<m=8:1, n=4:8, f32> -> !ncd.array<m=8, f32>
  ncd.return %y : !ncd.array<m=8, f32>
}

// -----

// Of two operations that have nothing to do with each other, the message is that
// of the first.
!t = !ncd.array<a=100, b=17, e=100, i32>
!r = !ncd.array<i32>
ncd.diagram @longest(%x: !t, %y: !t) -> (!r, !r) {
  // expected-error@+1 {{of size 170000 does not fit}}
  %u = ncd.reduce max %x over [b, e, a] : !t -> !r
  %v = ncd.reduce max %y over [b, e, a] : !t -> !r
  ncd.return %u, %v : !r, !r
}
