// math.absi on an index, in a kernel without a stream.
ncd.diagram @window_two_sided(%q: !ncd.array<h=2, q=1, d=64, bf16>, %k: !ncd.array<h=2, x=1, d=64, bf16>, %v: !ncd.array<h=2, x=1, d=64, bf16>) -> !ncd.array<h=2, q=1, d=64, bf16> {
  %s1 = ncd.contract %q, %k over [d] : !ncd.array<h=2, q=1, d=64, bf16>, !ncd.array<h=2, x=1, d=64, bf16> -> !ncd.array<h=2, q=1, x=1, f32>
  %t2 = ncd.map %s1 {
  ^bb0(%a0: f32):
    %scale = arith.constant 1.250000000e-01 : f32
    %t = arith.mulf %a0, %scale : f32
    %q = ncd.index "q" : index
    %x = ncd.index "x" : index
    %none = arith.constant 0xFF800000 : f32
    %rad = arith.constant 16 : index
    %diff = arith.subi %q, %x : index
    %dist = math.absi %diff : index
    %seen = arith.cmpi sle, %dist, %rad : index
    %r = arith.select %seen, %t, %none : f32
    ncd.yield %r : f32
  } : !ncd.array<h=2, q=1, x=1, f32> -> !ncd.array<h=2, q=1, x=1, f32>
  %p3 = ncd.softmax %t2 over [x] : !ncd.array<h=2, q=1, x=1, f32> -> !ncd.array<h=2, q=1, x=1, bf16>
  %o4 = ncd.contract %p3, %v over [x] : !ncd.array<h=2, q=1, x=1, bf16>, !ncd.array<h=2, x=1, d=64, bf16> -> !ncd.array<h=2, q=1, d=64, bf16>
  ncd.return %o4 : !ncd.array<h=2, q=1, d=64, bf16>
}
