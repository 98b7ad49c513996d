// RUN: napkin-opt %s --split-input-file --ncd-derive-stream --verify-diagnostics

// An inner loop leaves nothing that carries its axis.
!x = !ncd.array<a=128, b=256, f32>
!w = !ncd.array<c=512, b=256, f32>
!r = !ncd.array<a=128, b=256, f32>
ncd.diagram @kept(%x: !x, %w: !w) -> !r {
  // expected-note @below {{in this kernel, which is to be streamed over axis 'b'; choose another axis, or split the kernel before the reduction}}
  %l = ncd.kernel (%p = %x, %q = %w : !x, !w) -> (!r) attributes {stream = #ncd.partition<c=64, b=64>} {
    %s = ncd.reduce sum %q over [c] : !w -> !ncd.array<b=256, f32>
    // expected-error @below {{axis b: append family: an output carries b}}
    %m = ncd.map %p, %s {
    ^bb0(%e: f32, %f: f32):
      %g = arith.addf %e, %f : f32
      ncd.yield %g : f32
    } : !x, !ncd.array<b=256, f32> -> !r
    ncd.yield %m : !r
  }
  ncd.return %l : !r
}
