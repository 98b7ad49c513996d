// A chain of functions, each with an error of its own.
!x = !ncd.array<a=40, b=100, f32>
ncd.diagram @tanh_of_tanh(%x: !x) -> !x {
  %y = ncd.map %x {
  ^bb0(%e: f32):
    %a = math.tanh %e : f32
    %b = math.tanh %a : f32
    %c = math.exp %b : f32
    %d = math.log %c : f32
    ncd.yield %d : f32
  } : !x -> !x
  ncd.return %y : !x
}
