// An array of which a block has a chunk at a time cannot be used outside of the loop over the chunks.
// RUN: not napkin-opt %s --ncd-lower-to-tile 2>&1 | FileCheck %s
// CHECK: error: axis 'x' is walked in chunks of 16, and '!ncd.array<x=64, f32>' is needed outside of the loop over it; take the axis out of 'stream'

!t = !ncd.array<x=64, f32>
!r = !ncd.array<f32>
ncd.diagram @d(%x: !t) -> !r {
  %z = ncd.kernel (%a = %x : !t) -> (!r) attributes {stream = #ncd.partition<x=16>, warps = 4 : i32} {
    %s = ncd.reduce sum %a over [x] : !t -> !r
    ncd.yield %s : !r
  }
  ncd.return %z : !r
}
