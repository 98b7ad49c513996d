// RUN: napkin-opt %s --split-input-file --verify-diagnostics

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 8 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  // expected-error @below {{the roles have 4 = 4 warps, and the kernel has 8}}
  tile.roles {
    tile.role "load" warps 4 registers 24 {
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 12 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  // expected-error @below {{the roles take 128 x 40 + 256 x 256 = 70656 registers, and there are 65536}}
  tile.roles {
    tile.role "load" warps 4 registers 40 {
    }
    tile.role "compute" x 2 over "q" warps 4 registers 256 {
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 8 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  tile.roles {
    tile.role "load" warps 4 registers 24 {
    }
    // expected-error @below {{two roles are called 'load'}}
    tile.role "load" warps 4 registers 24 {
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 2 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  tile.roles {
    // expected-error @below {{'load' has 2 warps; registers are set for whole warpgroups, expects a multiple of 4}}
    tile.role "load" warps 2 registers 24 {
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  tile.roles {
    // expected-error @below {{'load' has 20 registers a thread; expects a multiple of 8 from 24 to 256}}
    tile.role "load" warps 4 registers 20 {
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 8 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  tile.roles {
    // expected-error @below {{'compute' has 2 instances; say over which axis: x 2 over "..."}}
    tile.role "compute" x 2 warps 4 registers 240 {
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 8 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  tile.roles {
    // expected-error @below {{'compute' has 0 instances; expects at least one}}
    tile.role "compute" x 0 warps 4 registers 240 {
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  tile.roles {
    // expected-error @below {{stands between roles; expects tile.role only}}
    %c = arith.constant 1 : index
    tile.role "load" warps 4 registers 24 {
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %t = tile.load %v : !view -> !t
  tile.roles {
    tile.role "store" warps 4 registers 24 {
      %to = tile.view %o [x : 64, d : 64] : !x
      // expected-error @below {{in role 'store' uses a tile that all warps of the block made; pass it through a ring}}
      tile.store %t, %to : !t, !view
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  tile.roles {
    tile.role "load" warps 4 registers 24 {
      // expected-error @below {{stands in role 'load'; it belongs to the whole block}}
      %turn = tile.turn : !tile.turn
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %turn = tile.turn : !tile.turn
  tile.roles {
    tile.role "load" warps 4 registers 24 {
      // expected-error @below {{expects a role of several instances around it}}
      tile.turn.take %turn : !tile.turn
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 8 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %turn = tile.turn : !tile.turn
  tile.roles {
    tile.role "compute" x 2 over "q" warps 4 registers 240 {
      // expected-error @below {{is not passed on in the same block}}
      tile.turn.take %turn : !tile.turn
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 8 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %turn = tile.turn : !tile.turn
  tile.roles {
    tile.role "compute" x 2 over "q" warps 4 registers 240 {
      // expected-error @below {{passes a turn that was not taken in the same block}}
      tile.turn.pass %turn : !tile.turn
    }
  }
  tile.return
}
