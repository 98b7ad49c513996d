// A norm of every row before a product.
!x = !ncd.array<m=4096, e=1024, bf16>
!w = !ncd.array<e=1024, n=1024, bf16>
!y = !ncd.array<m=4096, n=1024, bf16>

ncd.diagram @norm_product(%x: !x, %w: !w) -> !y {
  %n = ncd.rms_norm %x over [e] eps 1.0e-06 : !x -> !x
  %y = ncd.contract %n, %w over [e] : !x, !w -> !y
  ncd.return %y : !y
}
