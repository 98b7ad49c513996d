// The normaliser of a classifier: the scores of every class, and over them the
// logarithm of the sum of exponentials. The scores need never be stored.
!rows    = !ncd.array<a=256, b=256, bf16>
!classes = !ncd.array<c=1024, b=256, bf16>
!scores  = !ncd.array<a=256, c=1024, f32>
!result  = !ncd.array<a=256, f32>

ncd.diagram @contract_logsumexp(%x: !rows, %w: !classes) -> !result {
  %s = ncd.contract %x, %w over [b] : !rows, !classes -> !scores
  %l = ncd.logsumexp %s over [c] : !scores -> !result
  ncd.return %l : !result
}
