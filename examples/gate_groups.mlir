// The gate of DeepSeek-V3: sigmoid scores, chosen with a bias in the four best of
// eight groups of experts (a group counts by its two best), weighed without it.

!scores  = !ncd.array<t=64, e=256, f32>
!bias    = !ncd.array<e=256, f32>
!groups  = !ncd.array<t=64, g=8, m=32, f32>
!two     = !ncd.array<t=64, g=8, two=2, f32>
!twoAt   = !ncd.array<t=64, g=8, two=2, i32>
!group   = !ncd.array<t=64, g=8, f32>
!best    = !ncd.array<t=64, c=4, f32>
!bestAt  = !ncd.array<t=64, c=4, i32>
!hits    = !ncd.array<t=64, g=8, c=4, i1>
!keep    = !ncd.array<t=64, g=8, i1>
!weights = !ncd.array<t=64, k=8, f32>
!experts = !ncd.array<t=64, k=8, i32>
!chosen  = !ncd.array<t=64, e=256, k=8, f32>
!total   = !ncd.array<t=64, f32>

ncd.diagram @gate_groups(%z: !scores, %bias: !bias) -> (!weights, !experts) {
  %s = ncd.map %z {
  ^bb0(%a: f32):
    %one = arith.constant 1.0 : f32
    %n = arith.negf %a : f32
    %x = math.exp %n : f32
    %d = arith.addf %x, %one : f32
    %r = arith.divf %one, %d : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %b = ncd.map %s, %bias {
  ^bb0(%a: f32, %c: f32):
    %r = arith.addf %a, %c : f32
    ncd.yield %r : f32
  } : !scores, !bias -> !scores
  %bg = ncd.split %b "e" into [g, m] : !scores -> !groups
  %u, %ui = ncd.topk %bg over [m] into "two" : !groups -> !two, !twoAt
  %gs = ncd.reduce sum %u over [two] : !two -> !group
  %v, %gi = ncd.topk %gs over [g] into "c" : !group -> !best, !bestAt
  %hit = ncd.map %gi {
  ^bb0(%i: i32):
    %p = ncd.index "g" : index
    %q = arith.index_cast %p : index to i32
    %r = arith.cmpi eq, %i, %q : i32
    ncd.yield %r : i1
  } : !bestAt -> !hits
  %keep = ncd.reduce or %hit over [c] : !hits -> !keep
  %bm = ncd.map %bg, %keep {
  ^bb0(%a: f32, %k: i1):
    %none = arith.constant 0xFF800000 : f32
    %r = arith.select %k, %a, %none : f32
    ncd.yield %r : f32
  } : !groups, !keep -> !groups
  %be = ncd.join %bm [g, m] into "e" : !groups -> !scores
  %w, %i = ncd.topk %be over [e] into "k" : !scores -> !weights, !experts
  // The scores themselves at the chosen places.
  %at = ncd.map %s, %i {
  ^bb0(%a: f32, %c: i32):
    %zero = arith.constant 0.0 : f32
    %p = ncd.index "e" : index
    %q = arith.index_cast %p : index to i32
    %same = arith.cmpi eq, %c, %q : i32
    %r = arith.select %same, %a, %zero : f32
    ncd.yield %r : f32
  } : !scores, !experts -> !chosen
  %wk = ncd.reduce sum %at over [e] : !chosen -> !weights
  %n = ncd.reduce sum %wk over [k] : !weights -> !total
  %y = ncd.map %wk, %n {
  ^bb0(%a: f32, %c: f32):
    %tiny = arith.constant 1.0e-20 : f32
    %scale = arith.constant 2.5 : f32
    %d = arith.addf %c, %tiny : f32
    %m = arith.mulf %a, %scale : f32
    %r = arith.divf %m, %d : f32
    ncd.yield %r : f32
  } : !weights, !total -> !weights
  ncd.return %y, %i : !weights, !experts
}
