// Multi-head latent attention of a prompt, causal: a key is 128 columns of its own
// head beside 64, with rotary positions, that all heads share. The scores are the
// sum of two products. Keys and values of a head lie side by side, as the
// projection from the latent rows writes them.
!queries  = !ncd.array<s=250, h=4, c=192, bf16>
!own      = !ncd.array<s=250, h=4, d=128, bf16>
!turned   = !ncd.array<s=250, h=4, r=64, bf16>
!both     = !ncd.array<x=250, h=4, n=256, bf16>
!keys     = !ncd.array<x=250, h=4, d=128, bf16>
!values   = !ncd.array<x=250, h=4, v=128, bf16>
!rotary   = !ncd.array<x=250, r=64, bf16>
!scores   = !ncd.array<h=4, s=250, x=250, f32>
!weights  = !ncd.array<h=4, s=250, x=250, bf16>
!result   = !ncd.array<s=250, h=4, v=128, bf16>

ncd.diagram @mla_prefill(%q: !queries, %kv: !both, %kr: !rotary) -> !result {
  %qn = ncd.slice %q "c" from 0 into "d" : !queries -> !own
  %qr = ncd.slice %q "c" from 128 into "r" : !queries -> !turned
  %k = ncd.slice %kv "n" from 0 into "d" : !both -> !keys
  %v = ncd.slice %kv "n" from 128 into "v" : !both -> !values
  %sn = ncd.contract %qn, %k over [d] : !own, !keys -> !scores
  %sr = ncd.contract %qr, %kr over [r] : !turned, !rotary -> !scores
  %t = ncd.map %sn, %sr {
  ^bb0(%a: f32, %b: f32):
    %scale = arith.constant 0.07216878364870322 : f32
    %hidden = arith.constant 0xFF800000 : f32
    %is = ncd.index "s" : index
    %ix = ncd.index "x" : index
    %past = arith.cmpi ule, %ix, %is : index
    %sum = arith.addf %a, %b : f32
    %z = arith.mulf %sum, %scale : f32
    %r = arith.select %past, %z, %hidden : f32
    ncd.yield %r : f32
  } : !scores, !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !values -> !result
  ncd.return %o : !result
}
