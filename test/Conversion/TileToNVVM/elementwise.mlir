// RUN: napkin-opt %s --tile-lower-to-nvvm | FileCheck %s
// RUN: napkinc %s -o %t.ptx && FileCheck %s --check-prefix=PTX < %t.ptx
// RUN: %python -c "import struct, sys; sys.stdout.buffer.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', 70) + (\"{'descr': '<f4', 'fortran_order': False, 'shape': (200,), }\".ljust(69) + chr(10)).encode() + struct.pack('<200f', *range(200)))" > %t.npy
// RUN: napkin-run --manifest %t.json --in arg0=%t.npy --out result0=%t.out.npy | FileCheck %s --check-prefix=COUNT
// RUN: %python -c "import struct, sys; d = open(sys.argv[1], 'rb').read(); assert [x * -2 for x in range(200)] == list(struct.unpack('<200f', d[-800:]))" %t.out.npy

// The last block is cut off at 200: a quarter of its threads neither load nor
// store.

!tile = !tile.tile<n=128, f32, #tile.layout<register = [], lane = [1, 2, 4, 8, 16], warp = [32, 64]>>

// CHECK: gpu.module @napkin_kernels
// CHECK: llvm.func @negate_twice(%{{.*}}: !llvm.ptr<1> {{.*}}, %{{.*}}: !llvm.ptr<1> {{.*}}) attributes {napkin.blocks = 2 : i64, napkin.read_bytes = 800 : i64, napkin.shared_bytes = 0 : i64, napkin.written_bytes = 800 : i64, nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>, nvvm.minctasm = 1 : i32}
// CHECK: nvvm.read.ptx.sreg.tid.x
// CHECK: llvm.return

// PTX: .visible .entry negate_twice(
// PTX: .maxntid 128, 1, 1
// PTX: st.global

// COUNT: global read bytes {{ *}}800
// COUNT: global write bytes {{ *}}800
tile.kernel @negate_twice(%x: !ncd.array<n=200, f32>, %y: !ncd.array<n=200, f32>)
    grid [n = %n : 128 of 200] warps 4 outputs 1 {
  %from = tile.view %x [n = %n : 128] : !ncd.array<n=200, f32>
  %to = tile.view %y [n = %n : 128] : !ncd.array<n=200, f32>
  %t = tile.load %from : !tile.view<n=128, f32> -> !tile
  %r = tile.map %t {
  ^bb0(%e: f32):
    %two = arith.constant -2.0 : f32
    %m = arith.mulf %e, %two : f32
    tile.yield %m : f32
  } : (!tile) -> !tile
  tile.store %r, %to : !tile, !tile.view<n=128, f32>
  tile.return
}
