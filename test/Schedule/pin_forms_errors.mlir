// RUN: napkin-opt %s --split-input-file --ncd-schedule --verify-diagnostics

!t = !ncd.array<a=64, f32>
// expected-error@+1 {{padded = true is pinned, but no kernel brings factors of products to shared memory in pieces of 16 bytes; drop the pin}}
ncd.diagram @no_product(%t: !t) -> !t attributes {ncd.pin = {padded = true}} {
  %p = ncd.map %t {
  ^bb0(%e: f32):
    %r = arith.addf %e, %e : f32
    ncd.yield %r : f32
  } : !t -> !t
  ncd.return %p : !t
}

// -----

!t = !ncd.array<a=64, f32>
// expected-error@+1 {{pinned parts = 64 is not possible; choose 1, 2, 4, 8, 16 or 32}}
ncd.diagram @too_many(%t: !t) -> !t attributes {ncd.pin = {parts = 64 : i32}} {
  %p = ncd.map %t {
  ^bb0(%e: f32):
    %r = arith.addf %e, %e : f32
    ncd.yield %r : f32
  } : !t -> !t
  ncd.return %p : !t
}
