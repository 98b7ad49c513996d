// RUN: napkin-opt %s --ncd-decompose --canonicalize --ncd-schedule | FileCheck %s --check-prefix=CHOSEN
// RUN: napkin-opt %s --ncd-decompose --canonicalize --ncd-schedule="pin-forms=padded:false,reread:true,lazy:false,parts:2" | FileCheck %s --check-prefix=PINNED
// RUN: napkin-opt %s --ncd-decompose --canonicalize --ncd-schedule="pin-forms=parts:1" | FileCheck %s --check-prefix=WHOLE
// RUN: not napkin-opt %s --ncd-decompose --canonicalize --ncd-schedule="pin-forms=padded:2" 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not napkin-opt %s --ncd-decompose --canonicalize --ncd-schedule="pin-forms=parts:3" 2>&1 | FileCheck %s --check-prefix=PARTS
// RUN: not napkin-opt %s --ncd-decompose --canonicalize --ncd-schedule="pin-stream=none pin-forms=lazy:true" 2>&1 | FileCheck %s --check-prefix=LAZY
// RUN: not napkin-opt %s --ncd-decompose --canonicalize --ncd-schedule="pin-stream=none pin-forms=reread:true" 2>&1 | FileCheck %s --check-prefix=REREAD
// RUN: napkin-opt %s --ncd-decompose --canonicalize --ncd-schedule | napkin-opt --ncd-derive-stream --ncd-choose-instructions | napkin-opt --ncd-print-plan -o /dev/null | FileCheck %s --check-prefix=PLAN

// CHOSEN: ncd.kernel
// CHOSEN-SAME: lazy, order = {{[^]]*}}], padded, parts = 4 : i32
// PINNED: ncd.kernel
// PINNED-NOT: lazy
// PINNED-NOT: padded
// PINNED: parts = 2 : i32
// PINNED-SAME: reread = array<i32: 0>
// WHOLE-NOT: parts =
// VALUE: option 'pin-forms' has 'padded:2', which is none of padded, reread and lazy with :true or :false, and not parts with a positive number
// PARTS: pinned parts = 3 is not possible; choose 1, 2, 4, 8, 16 or 32
// LAZY: lazy = true is pinned, but no kernel has a loop with references that each warp can move for its own rows; drop the pin
// REREAD: reread = true is pinned, but no kernel has a product in a loop whose rows stay; drop the pin
// PLAN: kernel @attention {{.*}} parts 4
// PLAN: fill k[h, x, d] : 16 in shared {{.*}}pad 16

!q = !ncd.array<h=2, q=256, d=64, bf16>
!k = !ncd.array<h=2, x=512, d=64, bf16>
!s = !ncd.array<h=2, q=256, x=512, f32>
!p = !ncd.array<h=2, q=256, x=512, bf16>
ncd.diagram @attention(%q: !q, %k: !k, %v: !k) -> !q {
  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %p = ncd.softmax %s over [x] : !s -> !p
  %o = ncd.contract %p, %v over [x] : !p, !k -> !q
  ncd.return %o : !q
}
