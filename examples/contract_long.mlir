// A small result of a long sum. Its tiles would leave most of the machine idle,
// so blocks share the sum: each writes what its part of k gives, in f32, and a
// second kernel adds that up and rounds once.
!left   = !ncd.array<m=64, k=8192, bf16>
!right  = !ncd.array<k=8192, n=64, bf16>
!result = !ncd.array<m=64, n=64, bf16>

ncd.diagram @contract_long(%a: !left, %b: !right) -> !result {
  %c = ncd.contract %a, %b over [k] : !left, !right -> !result
  ncd.return %c : !result
}
