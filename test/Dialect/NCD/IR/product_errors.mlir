// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// The attribute itself: its instruction, axes, warps and sources.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{no target has an instruction 'mma.m1n1k1'}}
  %r = ncd.contract %a, %b over [d] as <"mma.m1n1k1", rows = q, columns = x, summed = d, warps = [4, 1], from = [shared, shared]> : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
  ncd.return
}

// -----

// One axis twice.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{rows, columns and summed are three axes; they are 'q', 'q' and 'd'}}
  %r = ncd.contract %a, %b over [d] as <"mma.m16n8k16.bf16", rows = q, columns = q, summed = d, warps = [4, 1], from = [shared, shared]> : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
  ncd.return
}

// -----

// No warp.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{'warps' are [4, 0]; each is at least 1}}
  %r = ncd.contract %a, %b over [d] as <"mma.m16n8k16.bf16", rows = q, columns = x, summed = d, warps = [4, 0], from = [shared, shared]> : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
  ncd.return
}

// -----

// A source that no instruction has.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{unknown source 'global'; known are registers and shared}}
  %r = ncd.contract %a, %b over [d] as <"mma.m16n8k16.bf16", rows = q, columns = x, summed = d, warps = [4, 1], from = [global, shared]> : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
  ncd.return
}

// -----

// On an operation: three factors.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>, %c: !ncd.array<d=64, bf16>) {
  // expected-error @below {{an instruction multiplies two factors, not 3; leave out 'as'}}
  %r = ncd.contract %a, %b, %c over [d] as <"mma.m16n8k16.bf16", rows = q, columns = x, summed = d, warps = [4, 1], from = [shared, shared]> : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16>, !ncd.array<d=64, bf16> -> !ncd.array<q=128, x=64, f32>
  ncd.return
}

// -----

// Rows that both factors carry.
ncd.diagram @d(%a: !ncd.array<h=2, q=128, d=64, bf16>, %b: !ncd.array<h=2, x=64, d=64, bf16>) {
  // expected-error @below {{'as' takes axis 'h' as rows or columns, which one factor and not the other has to carry}}
  %r = ncd.contract %a, %b over [d] as <"mma.m16n8k16.bf16", rows = h, columns = x, summed = d, warps = [4, 1], from = [shared, shared]> : !ncd.array<h=2, q=128, d=64, bf16>, !ncd.array<h=2, x=64, d=64, bf16> -> !ncd.array<h=2, q=128, x=64, f32>
  ncd.return
}

// -----

// Columns that no factor carries.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{'as' takes axis 'y' as rows or columns, which one factor and not the other has to carry}}
  %r = ncd.contract %a, %b over [d] as <"mma.m16n8k16.bf16", rows = q, columns = y, summed = d, warps = [4, 1], from = [shared, shared]> : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
  ncd.return
}

// -----

// Rows and columns of one factor.
ncd.diagram @d(%a: !ncd.array<h=2, q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{'as' takes rows 'q' and columns 'h' from one factor; each factor gives one of them}}
  %r = ncd.contract %a, %b over [d] as <"mma.m16n8k16.bf16", rows = q, columns = h, summed = d, warps = [4, 1], from = [shared, shared]> : !ncd.array<h=2, q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<h=2, q=128, x=64, f32>
  ncd.return
}

// -----

// A summed axis that is kept.
ncd.diagram @d(%a: !ncd.array<h=2, q=128, d=64, bf16>, %b: !ncd.array<h=2, x=64, d=64, bf16>) {
  // expected-error @below {{'as' sums axis 'h', which is not in 'over'}}
  %r = ncd.contract %a, %b over [d] as <"mma.m16n8k16.bf16", rows = q, columns = x, summed = h, warps = [4, 1], from = [shared, shared]> : !ncd.array<h=2, q=128, d=64, bf16>, !ncd.array<h=2, x=64, d=64, bf16> -> !ncd.array<h=2, q=128, x=64, f32>
  ncd.return
}

// -----

// More warps than the kernel has.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  %o = ncd.kernel (%a = %a, %b = %b : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16>) -> (!ncd.array<q=128, x=64, f32>) attributes {warps = 4 : i32} {
    // expected-error @below {{'as' shares the product among 4 x 2 = 8 warps, and the kernel has 4}}
    %r = ncd.contract %a, %b over [d] as <"mma.m16n8k16.bf16", rows = q, columns = x, summed = d, warps = [4, 2], from = [shared, shared]> : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
    ncd.yield %r : !ncd.array<q=128, x=64, f32>
  }
  ncd.return
}

// -----

// What a kernel says of its warps.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{'row_warps' is 3, which does not divide 'warps'}}
  %o = ncd.kernel (%a = %a, %b = %b : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16>) -> (!ncd.array<q=128, x=64, f32>) attributes {warps = 4 : i32, rows = "q", row_warps = 3 : i32} {
    %r = ncd.contract %a, %b over [d] : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
    ncd.yield %r : !ncd.array<q=128, x=64, f32>
  }
  ncd.return
}

// -----

// None.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{'row_warps' is 0, which does not divide 'warps'}}
  %o = ncd.kernel (%a = %a, %b = %b : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16>) -> (!ncd.array<q=128, x=64, f32>) attributes {warps = 4 : i32, rows = "q", row_warps = 0 : i32} {
    %r = ncd.contract %a, %b over [d] : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
    ncd.yield %r : !ncd.array<q=128, x=64, f32>
  }
  ncd.return
}

// -----

// Rows that are not there.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{'rows' names axis 'y', which no array in the kernel carries}}
  %o = ncd.kernel (%a = %a, %b = %b : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16>) -> (!ncd.array<q=128, x=64, f32>) attributes {warps = 4 : i32, rows = "y", row_warps = 4 : i32} {
    %r = ncd.contract %a, %b over [d] : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
    ncd.yield %r : !ncd.array<q=128, x=64, f32>
  }
  ncd.return
}

// -----

// Rows of no axis.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{says how many warps share the rows and not which axis gives them; name it in 'rows'}}
  %o = ncd.kernel (%a = %a, %b = %b : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16>) -> (!ncd.array<q=128, x=64, f32>) attributes {warps = 4 : i32, row_warps = 4 : i32} {
    %r = ncd.contract %a, %b over [d] : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
    ncd.yield %r : !ncd.array<q=128, x=64, f32>
  }
  ncd.return
}

// -----

// An operand that is not there.
ncd.diagram @d(%a: !ncd.array<q=128, d=64, bf16>, %b: !ncd.array<x=64, d=64, bf16>) {
  // expected-error @below {{'reread' names operand 2, and the kernel has 2}}
  %o = ncd.kernel (%a = %a, %b = %b : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16>) -> (!ncd.array<q=128, x=64, f32>) attributes {reread = array<i32: 2>} {
    %r = ncd.contract %a, %b over [d] : !ncd.array<q=128, d=64, bf16>, !ncd.array<x=64, d=64, bf16> -> !ncd.array<q=128, x=64, f32>
    ncd.yield %r : !ncd.array<q=128, x=64, f32>
  }
  ncd.return
}
