// RUN: napkin-opt %s --ncd-schedule | FileCheck %s --check-prefix=ATTRIBUTE
// RUN: napkin-opt %s --ncd-schedule="pin-group=a:64,c:64 pin-stream=b:32 pin-stages=4 pin-warps=2" | FileCheck %s --check-prefix=OPTION
// RUN: napkin-opt %s --ncd-schedule="hardware=rtx_3090 target=sm_86" | FileCheck %s --check-prefix=OTHER

!l = !ncd.array<a=512, b=512, bf16>
!r = !ncd.array<b=512, c=512, bf16>
!o = !ncd.array<a=512, c=512, bf16>

// Attributes hold where options are silent.
// ATTRIBUTE-LABEL: ncd.diagram @pinned
// ATTRIBUTE-NOT: ncd.pin
// ATTRIBUTE: ncd.kernel
// ATTRIBUTE-SAME: group = #ncd.partition<a=128, c=128>
// ATTRIBUTE-SAME: stages = 3 : i32
// ATTRIBUTE-SAME: stream = #ncd.partition<b=64>
// ATTRIBUTE-SAME: warps = 4 : i32

// Options win.
// OPTION-LABEL: ncd.diagram @pinned
// OPTION: ncd.kernel
// OPTION-SAME: group = #ncd.partition<a=64, c=64>
// OPTION-SAME: stages = 4 : i32
// OPTION-SAME: stream = #ncd.partition<b=32>
// OPTION-SAME: warps = 2 : i32

// OTHER-LABEL: ncd.diagram @pinned
// OTHER: hardware = #ncd.hardware<"rtx_3090">
ncd.diagram @pinned(%l: !l, %r: !r) -> !o
    attributes {ncd.pin = {group = #ncd.partition<a=128, c=128>, stream = #ncd.partition<b=64>,
                           warps = 4 : i32, stages = 3 : i32}} {
  %o = ncd.contract %l, %r over [b] : !l, !r -> !o
  ncd.return %o : !o
}
