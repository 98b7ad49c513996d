// RUN: napkin-opt %s --split-input-file --verify-diagnostics --ncd-place-views

ncd.diagram @unequal(%a: !ncd.array<x=8, p=4, f32>, %b: !ncd.array<x=8, q=5, f32>) -> !ncd.array<x=8, d=9, f32> {
  // expected-error @below {{puts 4 positions of axis 'p' and 5 of axis 'q' one behind the other; parts of different sizes are not compiled yet: pad the shorter ones, or use them apart}}
  %c = ncd.concat %a, %b [p, q] into "d"
    : !ncd.array<x=8, p=4, f32>, !ncd.array<x=8, q=5, f32> -> !ncd.array<x=8, d=9, f32>
  ncd.return %c : !ncd.array<x=8, d=9, f32>
}

// -----

ncd.diagram @formed(%a: !ncd.array<x=8, f32>) -> !ncd.array<g=2, m=4, f32> {
  %k = ncd.kernel (%b = %a : !ncd.array<x=8, f32>) -> (!ncd.array<x=8, f32>) {
    ncd.yield %b : !ncd.array<x=8, f32>
  }
  // expected-error @below {{sees what 'ncd.kernel' gives, which has no place in memory yet; put the view into the kernel that reads it}}
  %c = ncd.split %k "x" into [g, m] : !ncd.array<x=8, f32> -> !ncd.array<g=2, m=4, f32>
  ncd.return %c : !ncd.array<g=2, m=4, f32>
}
