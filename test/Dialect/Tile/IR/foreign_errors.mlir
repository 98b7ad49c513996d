// RUN: napkin-opt %s --allow-unregistered-dialect --split-input-file --verify-diagnostics

// Views and slots are known by what made them.
!x = !ncd.array<x=512, d=64, f16>
tile.kernel @view(%a: !x) grid [] warps 4 outputs 1 {
  %v = "test.view"() : () -> !tile.view<x=64, d=64, f16>
  // expected-error @below {{expects a view that tile.view makes}}
  %t = tile.load %v : !tile.view<x=64, d=64, f16> -> !tile.tile<x=64, d=64, f16>
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
tile.kernel @slot(%a: !x) grid [] warps 4 outputs 1 {
  %s = "test.slot"() : () -> !slot
  // expected-error @below {{expects a slot that tile.await gives}}
  %t = tile.read %s : !slot -> !tile.tile<x=64, d=64, f16>
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
tile.kernel @fill(%a: !x) grid [] warps 4 outputs 1 {
  %v = tile.view %a [x : 64, d : 64] : !x
  %s = "test.slot"() : () -> !slot
  // expected-error @below {{expects a slot that tile.acquire gives}}
  tile.copy %v into %s : !tile.view<x=64, d=64, f16>, !slot
  tile.return
}
