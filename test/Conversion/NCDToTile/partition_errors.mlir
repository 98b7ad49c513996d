// A kernel that cannot be lowered with its partition is the fault of whoever chose it: the compiler (the
// account says so), or the user, alone or by a pin.
// RUN: split-file %s %t
// RUN: not napkin-opt %t/compiler.mlir --ncd-lower-to-tile 2>&1 | FileCheck %s --check-prefix=COMPILER
// RUN: not napkin-opt %t/pinned.mlir --ncd-lower-to-tile 2>&1 | FileCheck %s --check-prefix=USER
// RUN: not napkin-opt %t/user.mlir --ncd-lower-to-tile 2>&1 | FileCheck %s --check-prefix=USER
// COMPILER: internal error: the partition that the compiler chose cannot be lowered: axis 'n' is cut across blocks, but a result does not carry it
// USER-NOT: internal error
// USER: axis 'n' is cut across blocks, but a result does not carry it

//--- compiler.mlir
!t = !ncd.array<n=64, f32>
!r = !ncd.array<f32>
ncd.diagram @d(%x: !t) -> !r {
  %z = ncd.kernel (%a = %x : !t) -> (!r) attributes {account = #ncd.account<chosen = true, decisions = [#ncd.decision<group "n" = 16, []>]>, group = #ncd.partition<n=16>, order = ["n"], warps = 4 : i32} {
    %s = ncd.reduce sum %a over [n] : !t -> !r
    ncd.yield %s : !r
  }
  ncd.return %z : !r
}

//--- pinned.mlir
!t = !ncd.array<n=64, f32>
!r = !ncd.array<f32>
ncd.diagram @d(%x: !t) -> !r {
  %z = ncd.kernel (%a = %x : !t) -> (!r) attributes {account = #ncd.account<chosen = false, decisions = [#ncd.decision<group "n" = 16, [<pinned>]>]>, group = #ncd.partition<n=16>, order = ["n"], warps = 4 : i32} {
    %s = ncd.reduce sum %a over [n] : !t -> !r
    ncd.yield %s : !r
  }
  ncd.return %z : !r
}

//--- user.mlir
!t = !ncd.array<n=64, f32>
!r = !ncd.array<f32>
ncd.diagram @d(%x: !t) -> !r {
  %z = ncd.kernel (%a = %x : !t) -> (!r) attributes {group = #ncd.partition<n=16>, order = ["n"], warps = 4 : i32} {
    %s = ncd.reduce sum %a over [n] : !t -> !r
    ncd.yield %s : !r
  }
  ncd.return %z : !r
}
