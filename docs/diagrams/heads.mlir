// One array holds the rows of queries and keys side by side, heads of 64 each,
// and rows are padded to 1032 elements: scores of every head.
!both   = !ncd.array<s=200:1032, t=2, n=512, bf16>
!rows   = !ncd.array<s=200, n=512, bf16>
!heads  = !ncd.array<s=200, h=8, d=64, bf16>
!keys   = !ncd.array<x=200, h=8, d=64, bf16>
!scores = !ncd.array<h=8, s=200, x=200, f32>

ncd.diagram @heads(%both: !both) -> !scores {
  %q = ncd.slice %both "t" from 0 : !both -> !rows
  %k = ncd.slice %both "t" from 1 : !both -> !rows
  %qh = ncd.split %q "n" into [h, d] : !rows -> !heads
  %kh = ncd.split %k "n" into [h, d] : !rows -> !heads
  %kx = ncd.rename %kh [s] into [x] : !heads -> !keys
  %s = ncd.contract %qh, %kx over [d] : !heads, !keys -> !scores
  ncd.return %s : !scores
}
