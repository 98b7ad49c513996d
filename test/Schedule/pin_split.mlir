// RUN: split-file %s %t
// RUN: napkin-opt %t/product.mlir --ncd-schedule | FileCheck %s --check-prefix=ATTRIBUTE
// RUN: napkin-opt %t/product.mlir --ncd-schedule="pin-split=b:128 pin-stream=b:32" | FileCheck %s --check-prefix=OPTION
// RUN: napkin-opt %t/long.mlir --ncd-schedule | FileCheck %s --check-prefix=CHOSEN
// RUN: napkin-opt %t/long.mlir --ncd-schedule="pin-split=none" | FileCheck %s --check-prefix=NONE
// RUN: not napkin-opt %t/product.mlir --ncd-schedule="pin-split=b:0" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not napkin-opt %t/product.mlir --ncd-schedule="pin-split=z:64" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not napkin-opt %t/product.mlir --ncd-schedule="pin-split=b:1024" 2>&1 | FileCheck %s --check-prefix=LONG
// RUN: not napkin-opt %t/product.mlir --ncd-schedule="pin-split=b:96 pin-stream=b:64" 2>&1 | FileCheck %s --check-prefix=CHUNKS
// RUN: not napkin-opt %t/product.mlir --ncd-schedule="pin-split=a:64" 2>&1 | FileCheck %s --check-prefix=KEPT

// ATTRIBUTE: ncd.kernel
// ATTRIBUTE-SAME: split = #ncd.split<b by 256, parts = b_part>
// OPTION: ncd.kernel
// OPTION-SAME: split = #ncd.split<b by 128, parts = b_part>
// OPTION-SAME: stream = #ncd.partition<b=32>
// CHOSEN: split = #ncd.split<k by {{[0-9]+}}, parts = k_part_>
// NONE-NOT: #ncd.split
// ZERO: option 'pin-split' has 'b:0', which is not axis:size with a positive size
// UNKNOWN: a pinned split axis 'z' (= 64) is not an axis of the diagram; drop the pin
// LONG: axis 'b' is pinned to split = 1024, and its size is 512; pin 1 to 512
// CHUNKS: axis 'b' is pinned to split = 96, which is no multiple of the pinned chunk of 64; pin whole chunks
// KEPT: axis 'a' is pinned as split axis (= 64), but no kernel can use it so

//--- product.mlir
!l = !ncd.array<a=256, b=512, bf16>
!r = !ncd.array<b=512, c=256, bf16>
!o = !ncd.array<a=256, c=256, bf16>
ncd.diagram @pinned(%l: !l, %r: !r) -> !o attributes {ncd.pin = {split = #ncd.partition<b=256>}} {
  %o = ncd.contract %l, %r over [b] : !l, !r -> !o
  ncd.return %o : !o
}

//--- long.mlir
// The axis of the parts has a name of its own.
!l = !ncd.array<k_part=64, k=8192, bf16>
!r = !ncd.array<k=8192, c=64, bf16>
!o = !ncd.array<k_part=64, c=64, bf16>
ncd.diagram @long(%l: !l, %r: !r) -> !o {
  %o = ncd.contract %l, %r over [k] : !l, !r -> !o
  ncd.return %o : !o
}
