// The loss of a classifier that is as wide as a language model: the logarithm of
// the sum of exponentials of a token's scores, minus the score of its label. A
// score sums 768 products, too many for one tile, and there are more scores than
// anybody would store: they are made chunk by chunk, and used up at once.
!tokens  = !ncd.array<a=128, b=768, bf16>
!words   = !ncd.array<c=1500, b=768, bf16>
!labels  = !ncd.array<a=128, i32>
!scores  = !ncd.array<a=128, c=1500, f32>
!result  = !ncd.array<a=128, f32>

ncd.diagram @linear_cross_entropy(%x: !tokens, %w: !words, %label: !labels) -> !result {
  %s = ncd.contract %x, %w over [b] : !tokens, !words -> !scores
  %l = ncd.logsumexp %s over [c] : !scores -> !result
  %hit = ncd.map %s, %label {
  ^bb0(%e: f32, %i: i32):
    %word = ncd.index "c" : index
    %number = arith.index_cast %word : index to i32
    %same = arith.cmpi eq, %number, %i : i32
    %zero = arith.constant 0.0 : f32
    %r = arith.select %same, %e, %zero : f32
    ncd.yield %r : f32
  } : !scores, !labels -> !scores
  %own = ncd.reduce sum %hit over [c] : !scores -> !result
  %loss = ncd.map %l, %own {
  ^bb0(%e: f32, %f: f32):
    %r = arith.subf %e, %f : f32
    ncd.yield %r : f32
  } : !result, !result -> !result
  ncd.return %loss : !result
}
