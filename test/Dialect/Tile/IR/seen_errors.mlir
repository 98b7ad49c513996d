// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// What is seen of an array, and what is taken of a tile or of a slot.

!x = !ncd.array<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  // expected-error @below {{expects an argument of the kernel that is only read}}
  %s = tile.array %o from 0 : !x -> !ncd.array<x=64, f16>
  tile.return
}

// -----

!x = !ncd.array<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %s = tile.array %a from 0 : !x -> !ncd.array<x=64, f16>
  // expected-error @below {{expects an argument of the kernel that is only read}}
  %t = tile.array %s from 0 : !ncd.array<x=64, f16> -> !ncd.array<x=32, f16>
  tile.return
}

// -----

!x = !ncd.array<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  // expected-error @below {{expects static sizes, got '!ncd.array<x=?, f16>'}}
  %s = tile.array %a from 0 : !x -> !ncd.array<x=?, f16>
  tile.return
}

// -----

!x = !ncd.array<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  // expected-error @below {{expects the elements of '!ncd.array<x=64, d=64, f16>', got '!ncd.array<x=64, f32>'}}
  %s = tile.array %a from 0 : !x -> !ncd.array<x=64, f32>
  tile.return
}

// -----

!x = !ncd.array<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  // expected-error @below {{from element 64 reaches out of '!ncd.array<x=64, d=64, f16>' along axis 'y'}}
  %s = tile.array %a from 64 : !x -> !ncd.array<y=64:64, e=64:1, f16>
  tile.return
}

// -----

!x = !ncd.array<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  // expected-error @below {{'!ncd.array<f16>' from element 4096 reaches out of '!ncd.array<x=64, d=64, f16>'}}
  %s = tile.array %a from 4096 : !x -> !ncd.array<f16>
  tile.return
}

// -----

!x = !ncd.array<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %s = tile.array %a from 0 : !x -> !ncd.array<x=32, d=64, f16>
  %v = tile.view %s [x : 32, d : 64] : !ncd.array<x=32, d=64, f16>
  %t = tile.load %v : !tile.view<x=32, d=64, f16> -> !tile.tile<x=32, d=64, f16>
  // expected-error @below {{writes what tile.array sees, which is only read}}
  tile.store %t, %v : !tile.tile<x=32, d=64, f16>, !tile.view<x=32, d=64, f16>
  tile.return
}

// -----

!x = !ncd.array<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %v = tile.view %a [x : 64, d : 64] : !x
  %t = tile.load %v : !tile.view<x=64, d=64, f16> -> !t
  // expected-error @below {{expects positions from 32 along one axis of '!tile.tile<x=64, d=64, f16>', got '!tile.tile<x=64, v=64, f16>'}}
  %p = tile.part %t from 32 : !t -> !tile.tile<x=64, v=64, f16>
  tile.return
}

// -----

!x = !ncd.array<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %v = tile.view %a [x : 64, d : 64] : !x
  %t = tile.load %v : !tile.view<x=64, d=64, f16> -> !t
  // expected-error @below {{expects positions from 0 along one axis of '!tile.tile<x=64, d=64, f16>', got '!tile.tile<y=32, v=32, f16>'}}
  %p = tile.part %t from 0 : !t -> !tile.tile<y=32, v=32, f16>
  tile.return
}

// -----

!x = !ncd.array<x=64, d=64, f16>
!ring = !tile.ring<1 x (x=64, d=64), f16, #tile.smem<pad = 16>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<pad = 16>>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %ring = tile.ring : !ring
  %v = tile.view %a [x : 64, d : 64] : !x
  %f = tile.acquire %ring, %c0 : !ring
  tile.copy %v into %f : !tile.view<x=64, d=64, f16>, !slot
  tile.publish %f : !slot
  %s = tile.await %ring, %c0 : !ring
  // expected-error @below {{expects positions from 48 along one axis of '!tile.slot<(x=64, d=64), f16, #tile.smem<pad = 16>>', got '!tile.tile<x=64, v=32, f16>'}}
  %t = tile.read %s from 48 : !slot -> !tile.tile<x=64, v=32, f16>
  tile.release %s : !slot
  tile.return
}
