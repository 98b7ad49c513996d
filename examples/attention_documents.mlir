// Documents side by side in one row of tokens: a query sees the keys of its own
// document, whose number an array holds for each token.
!queries = !ncd.array<h=4, q=256, d=64, bf16>
!keys    = !ncd.array<h=4, x=256, d=64, bf16>
!scores  = !ncd.array<h=4, q=256, x=256, f32>
!weights = !ncd.array<h=4, q=256, x=256, bf16>
!query_document = !ncd.array<q=256, i32>
!key_document   = !ncd.array<x=256, i32>
!document       = !ncd.array<n=256, i32>

ncd.diagram @attention_documents(%q: !queries, %k: !keys, %v: !keys, %document: !document) -> !queries {
  %dq = ncd.rename %document [n] into [q] : !document -> !query_document
  %dx = ncd.rename %document [n] into [x] : !document -> !key_document
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s, %dq, %dx {
  ^bb0(%e: f32, %a: i32, %b: i32):
    %scale = arith.constant 0.125 : f32
    %hidden = arith.constant 0xFF800000 : f32
    // Random numbers stand for documents in tests: four of them.
    %three = arith.constant 3 : i32
    %da = arith.andi %a, %three : i32
    %db = arith.andi %b, %three : i32
    %seen = arith.cmpi eq, %da, %db : i32
    %z = arith.mulf %e, %scale : f32
    %r = arith.select %seen, %z, %hidden : f32
    ncd.yield %r : f32
  } : !scores, !query_document, !key_document -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
