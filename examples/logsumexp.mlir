// The logarithm of the sum of exponentials of every row, without overflow.
!rows   = !ncd.array<a=512, x=1024, bf16>
!result = !ncd.array<a=512, f32>

ncd.diagram @logsumexp(%t: !rows) -> !result {
  %l = ncd.logsumexp %t over [x] : !rows -> !result
  ncd.return %l : !result
}
