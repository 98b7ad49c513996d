// RUN: napkin-opt %s --split-input-file --verify-diagnostics

ncd.diagram @condition(%c: !ncd.array<q=8, f32>, %old: !ncd.array<q=8, f32>) {
  // expected-error @below {{the condition holds 'f32'; it has to hold i1}}
  %r = ncd.when %c : !ncd.array<q=8, f32> otherwise(%old : !ncd.array<q=8, f32>) {
    ncd.yield %old : !ncd.array<q=8, f32>
  }
  ncd.return
}

// -----

ncd.diagram @yield(%c: !ncd.array<q=8, i1>, %old: !ncd.array<q=8, f32>, %other: !ncd.array<q=8, f16>) {
  %r = ncd.when %c : !ncd.array<q=8, i1> otherwise(%old : !ncd.array<q=8, f32>) {
    // expected-error @below {{value 0 has type '!ncd.array<q=8, f16>', but the region of 'ncd.when' must give '!ncd.array<q=8, f32>'}}
    ncd.yield %other : !ncd.array<q=8, f16>
  }
  ncd.return
}
