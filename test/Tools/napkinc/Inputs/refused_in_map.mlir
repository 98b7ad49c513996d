!x = !ncd.array<a=40, b=100, f32>
ncd.diagram @map(%x: !x) -> !x {
  %y = ncd.map %x {
  ^bb0(%e: f32):
    %v = math.atanh %e : f32
    ncd.yield %v : f32
  } : !x -> !x
  ncd.return %y : !x
}
