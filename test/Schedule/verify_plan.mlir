// RUN: napkin-opt %s --split-input-file --verify-diagnostics --ncd-verify-plan

// Blocks of n would each write the same sums.
!t = !ncd.array<m=64, n=64, f32>
!r = !ncd.array<m=64, f32>
ncd.diagram @shared(%x: !t) -> !r {
  // expected-error @below {{the plan breaks rule 'store.once': 'result0' is stored under 'n' and has no axis of n: it would be written 4 times}}
  %z = ncd.kernel (%a = %x : !t) -> (!r) attributes {group = #ncd.partition<n=16>, order = ["n"], warps = 4 : i32} {
    %s = ncd.reduce sum %a over [n] : !t -> !r
    ncd.yield %s : !r
  }
  ncd.return %z : !r
}

// -----

// Half of the warps would have no rows.
!a = !ncd.array<m=64, k=64, bf16>
!b = !ncd.array<k=64, n=64, bf16>
!c = !ncd.array<m=64, n=64, f32>
ncd.diagram @warps(%x: !a, %y: !b) -> !c {
  // expected-error @below {{the plan breaks rule 'product.shape': 'product1': 32 rows of m do not split among 4 warps in granules of 16}}
  %z = ncd.kernel (%a = %x, %b = %y : !a, !b) -> (!c) attributes {group = #ncd.partition<m=32>, order = ["m"], warps = 4 : i32} {
    %c = ncd.contract %a, %b over [k] as <"mma.m16n8k16.bf16", rows = m, columns = n, summed = k, warps = [4, 1], from = [shared, shared]> : !a, !b -> !c
    ncd.yield %c : !c
  }
  ncd.return %z : !c
}

// -----

// An axis whose size is not known has no plan that can be counted.
!t = !ncd.array<m=?, f32>
ncd.diagram @dynamic(%x: !t) -> !t {
  // expected-error @below {{axis 'm' has no static size, so its plan cannot be counted; write its size}}
  %z = ncd.kernel (%a = %x : !t) -> (!t) attributes {warps = 4 : i32} {
    ncd.yield %a : !t
  }
  ncd.return %z : !t
}
