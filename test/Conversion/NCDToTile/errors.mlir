// RUN: napkin-opt %s --split-input-file --verify-diagnostics --ncd-lower-to-tile

// What a kernel may say and no tile program does.

// A tile that is no size of tiles.
!t = !ncd.array<n=64, f32>
ncd.diagram @odd(%x: !t) -> !t {
  // expected-error @below {{axis 'n' is cut into tiles of 12; choose a power of two or a multiple of 16}}
  %z = ncd.kernel (%a = %x : !t) -> (!t) attributes {group = #ncd.partition<n=12>, order = ["n"], warps = 4 : i32} {
    %s = ncd.map %a {
    ^bb0(%e: f32):
      %r = arith.negf %e : f32
      ncd.yield %r : f32
    } : !t -> !t
    ncd.yield %s : !t
  }
  ncd.return %z : !t
}

// -----

// Fewer positions than the instruction takes.
!a = !ncd.array<m=64, k=64, bf16>
!b = !ncd.array<k=64, n=64, bf16>
!c = !ncd.array<m=64, n=64, f32>
ncd.diagram @few(%x: !a, %y: !b) -> !c {
  // expected-error @below {{axis 'm' is cut into tiles of 4, and mma.m16n8k16.bf16 takes 16 positions; choose 1 or at least 16}}
  %z = ncd.kernel (%a = %x, %b = %y : !a, !b) -> (!c) attributes {group = #ncd.partition<m=4>, order = ["m"], warps = 4 : i32} {
    %c = ncd.contract %a, %b over [k] as <"mma.m16n8k16.bf16", rows = m, columns = n, summed = k, warps = [4, 1], from = [shared, shared]> : !a, !b -> !c
    ncd.yield %c : !c
  }
  ncd.return %z : !c
}

// -----

// Addresses inside one tile have 32 bits.
!t = !ncd.array<m=4, n=1073741824, f32>
ncd.diagram @far(%x: !t) -> !t {
  %z = ncd.kernel (%a = %x : !t) -> (!t) attributes {group = #ncd.partition<n=128>, order = ["n"], warps = 4 : i32} {
    // expected-error @below {{spans 12884902396 bytes along axis 'm', and addresses inside a tile reach 2147483647; cut the axis in `group` or `stream`}}
    %s = ncd.map %a {
    ^bb0(%e: f32):
      %r = arith.negf %e : f32
      ncd.yield %r : f32
    } : !t -> !t
    ncd.yield %s : !t
  }
  ncd.return %z : !t
}

// -----

// Another axis in a factor of a matrix instruction.
!a = !ncd.array<b=4, m=64, k=64, bf16>
!b = !ncd.array<k=64, n=64, bf16>
!c = !ncd.array<b=4, m=64, n=64, f32>
ncd.diagram @batch(%x: !a, %y: !b) -> !c {
  %z = ncd.kernel (%a = %x, %b = %y : !a, !b) -> (!c) attributes {group = #ncd.partition<m=64>, order = ["m"], warps = 4 : i32} {
    // expected-error @below {{a block's tiles are no matrices for mma.m16n8k16.bf16: it takes one row, one column and one summed axis; cut the others to tiles of 1 in `group`, or leave out `as`}}
    %c = ncd.contract %a, %b over [k] as <"mma.m16n8k16.bf16", rows = m, columns = n, summed = k, warps = [4, 1], from = [shared, shared]> : !a, !b -> !c
    ncd.yield %c : !c
  }
  ncd.return %z : !c
}

// -----

!t = !ncd.array<m=16, n=64, f32>
!r = !ncd.array<m=16, f32>
ncd.diagram @composed(%x: !t) -> !t {
  %z = ncd.kernel (%a = %x : !t) -> (!t) attributes {group = #ncd.partition<m=16>, order = ["m"], warps = 4 : i32} {
    // expected-error @below {{'ncd.softmax' is not lowered to tiles; run ncd-decompose first}}
    %s = ncd.softmax %a over [n] : !t -> !t
    ncd.yield %s : !t
  }
  ncd.return %z : !t
}

// -----

!t = !ncd.array<n=64, f32>
ncd.diagram @outside(%x: !t) -> !t {
  // expected-error @below {{is not in a kernel; run ncd-schedule first}}
  %s = ncd.map %x {
  ^bb0(%e: f32):
    %r = arith.negf %e : f32
    ncd.yield %r : f32
  } : !t -> !t
  ncd.return %s : !t
}

// -----

// A folded axis that blocks share, beside a result that has it.
!t = !ncd.array<m=16, n=64, f32>
!r = !ncd.array<m=16, f32>
ncd.diagram @cut(%x: !t) -> (!t, !r) {
  %y, %z = ncd.kernel (%a = %x : !t) -> (!t, !r) attributes {group = #ncd.partition<n=1>, order = ["n"], warps = 4 : i32} {
    // expected-error @below {{axis 'n' is folded but cut across blocks; leave it out of `group`}}
    %s = ncd.reduce sum %a over [n] : !t -> !r
    ncd.yield %a, %s : !t, !r
  }
  ncd.return %y, %z : !t, !r
}

// -----

// What is streamed comes from global memory, chunk by chunk.
!t = !ncd.array<m=16, n=64, f32>
!r = !ncd.array<m=16, f32>
ncd.diagram @made(%x: !t) -> !r {
  %z = ncd.kernel (%a = %x : !t) -> (!r) attributes {warps = 4 : i32} {
    %u = ncd.map %a {
    ^bb0(%e: f32):
      %v = arith.negf %e : f32
      ncd.yield %v : f32
    } : !t -> !t
    // expected-error @below {{a streamed array must be read from global memory}}
    %s = ncd.stream "n" ins(%u : !t) -> (!r) state(!r) init {
      %o = ncd.map {
        %zero = arith.constant 0.0 : f32
        ncd.yield %zero : f32
      } : -> !r
      ncd.yield %o : !r
    } step {
    ^bb0(%p: !r, %c: !t):
      %q = ncd.reduce sum %c over [n] : !t -> !r
      ncd.yield %q : !r
    } merge {
    ^bb0(%p: !r, %q: !r):
      ncd.yield %p : !r
    } finish {
    ^bb0(%p: !r):
      ncd.yield %p : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %z : !r
}
