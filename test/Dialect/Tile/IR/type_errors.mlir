// RUN: napkin-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{axis 'q' has tile size 12; expects a power of two or a multiple of 16 in [2, 2^20]}}
module attributes {a.t = !tile.tile<q=12, f32>} {}

// -----

// expected-error @below {{axis 'q' is named twice}}
module attributes {a.t = !tile.tile<q=16, q=8, f32>} {}

// -----

// expected-error @below {{a tile of more than 2^24 elements}}
module attributes {a.t = !tile.tile<q=1048576, x=32, f32>} {}

// -----

// expected-error @below {{expects a layout of 5 lane bits, got 2}}
module attributes {a.t = !tile.tile<q=4, f32, #tile.layout<register = [], lane = [1, 2], warp = []>>} {}

// -----

// expected-error @below {{layout image 64 lies outside the tile}}
module attributes {a.t = !tile.tile<q=32, f32, #tile.layout<register = [], lane = [1, 2, 4, 8, 64], warp = []>>} {}

// -----

// expected-error @below {{the layout does not reach every element of the tile}}
module attributes {a.t = !tile.tile<q=32, f32, #tile.layout<register = [], lane = [1, 2, 4, 8, 8], warp = []>>} {}

// -----

// expected-error @below {{expects 1 to 16 slots, got 0}}
module attributes {a.t = !tile.ring<0 x (x=64), bf16, #tile.smem<swizzle = 128>>} {}

// -----

// expected-error @below {{expects elements of 1, 2, 4 or 8 bytes, got 'i1'}}
module attributes {a.t = !tile.ring<1 x (x=64), i1, #tile.smem<swizzle = 128>>} {}

// -----

// expected-error @below {{expects a swizzle of 128 or a pad of 16 bytes, got 64}}
module attributes {a.t = #tile.smem<swizzle = 64>} {}

// -----

// expected-error @below {{expects 'swizzle' or 'pad', got 'panel'}}
module attributes {a.t = #tile.smem<panel = 64>} {}

// -----

// expected-error @below {{axis 'x' has tile size 1; expects a power of two or a multiple of 16 in [2, 2^20]}}
module attributes {a.t = !tile.view<x=1, f32>} {}

// -----

// expected-error @below {{expects elements of 1, 2, 4 or 8 bytes, got 'i4'}}
module attributes {a.t = !tile.slot<(x=64), i4, #tile.smem<pad = 16>>} {}

// -----

// expected-error @below {{expects an integer or float element, got 'index'}}
module attributes {a.t = !tile.tile<x=16, index>} {}

// -----

// expected-error @below {{expects an integer or float element of a view, got 'index'}}
module attributes {a.t = !tile.view<x=16, index>} {}

// -----

// A size of 48 is a core of 16 and 3 times that: which of the 3 is a digit, and it stands alone in an image.
// expected-error @below {{layout image 17 of a register holds a digit among other bits}}
module attributes {a.t = !tile.tile<q=48, f32, #tile.layout<register = [17, 32], lane = [1, 2, 4, 8, 0], warp = []>>} {}
