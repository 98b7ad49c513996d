// RUN: napkin-opt %s --ncd-print-plan --verify-diagnostics -o /dev/null

// A size that is known only at launch has no bytes to count.
ncd.diagram @open(%x: !ncd.array<n=?, f32>) -> !ncd.array<n=?, f32> {
  // expected-error @+1 {{axis 'n' has no static size, so its plan cannot be counted; write its size}}
  %y = ncd.kernel (%a = %x : !ncd.array<n=?, f32>) -> (!ncd.array<n=?, f32>) {
    %z = ncd.map %a {
    ^bb0(%e: f32):
      ncd.yield %e : f32
    } : !ncd.array<n=?, f32> -> !ncd.array<n=?, f32>
    ncd.yield %z : !ncd.array<n=?, f32>
  }
  ncd.return %y : !ncd.array<n=?, f32>
}
