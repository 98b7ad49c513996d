// RUN: napkin-opt %s --ncd-lower-to-tile --verify-diagnostics

// A factor that comes in chunks does not stay in registers.
!a = !ncd.array<m=256, k=64, bf16>
!b = !ncd.array<k=64, n=256, bf16>
!c = !ncd.array<m=256, n=256, f32>
ncd.diagram @moves(%a: !a, %b: !b) -> !ncd.array<m=256, f32> {
  %o = ncd.kernel (%a = %a, %b = %b : !a, !b) -> (!ncd.array<m=256, f32>) attributes {group = #ncd.partition<m=64>, stream = #ncd.partition<n=32>, warps = 4 : i32} {
    %s = ncd.stream "n" ins(%b : !b) -> (!ncd.array<m=256, f32>) state(!ncd.array<m=256, f32>) init {
      %z = ncd.map {
        %zero = arith.constant 0.0 : f32
        ncd.yield %zero : f32
      } : -> !ncd.array<m=256, f32>
      ncd.yield %z : !ncd.array<m=256, f32>
    } step {
    ^bb0(%t: !ncd.array<m=256, f32>, %b0: !b):
      // expected-error @below {{the factor with the columns, '!ncd.array<k=64, n=256, bf16>', comes anew with each chunk and cannot stay in registers; say shared in 'from'}}
      %c = ncd.contract %a, %b0 over [k] as <"mma.m16n8k16.bf16", rows = m, columns = n, summed = k, warps = [4, 1], from = [registers, registers]> : !a, !b -> !c
      %r = ncd.reduce sum %c over [n] : !c -> !ncd.array<m=256, f32>
      %u = ncd.map %t, %r {
      ^bb0(%x: f32, %y: f32):
        %v = arith.addf %x, %y : f32
        ncd.yield %v : f32
      } : !ncd.array<m=256, f32>, !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
      ncd.yield %u : !ncd.array<m=256, f32>
    } merge {
    ^bb0(%x: !ncd.array<m=256, f32>, %y: !ncd.array<m=256, f32>):
      %u = ncd.map %x, %y {
      ^bb0(%l: f32, %r: f32):
        %v = arith.addf %l, %r : f32
        ncd.yield %v : f32
      } : !ncd.array<m=256, f32>, !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
      ncd.yield %u : !ncd.array<m=256, f32>
    } finish {
    ^bb0(%t: !ncd.array<m=256, f32>):
      ncd.yield %t : !ncd.array<m=256, f32>
    }
    ncd.yield %s : !ncd.array<m=256, f32>
  }
  ncd.return %o : !ncd.array<m=256, f32>
}
