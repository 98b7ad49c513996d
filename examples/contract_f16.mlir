// A matrix product: a×b times b×c, in f16, summed in f32.
!left   = !ncd.array<a=512, b=512, f16>
!right  = !ncd.array<b=512, c=512, f16>
!result = !ncd.array<a=512, c=512, f16>

ncd.diagram @contract_f16(%l: !left, %r: !right) -> !result {
  %o = ncd.contract %l, %r over [b] : !left, !right -> !result
  ncd.return %o : !result
}
