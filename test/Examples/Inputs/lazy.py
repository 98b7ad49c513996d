#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes attention whose scores make a lazy reference move: ramps, teeth, hidden chunks.

usage: lazy.py NAPKINC FOLDER

Each is compiled with a lazy reference and with one that every chunk moves, with sums in
parts and whole, and verified with usual and with shifted inputs, within the same bounds;
the exit status says whether all were right.
"""

import os
import subprocess
import sys

# What happens to a score %e at position %x (as f32) of 300 keys, in chunks.
SCORES = {
    "plain": "%t = arith.mulf %e, %one : f32",
    "ramp": "%p = arith.mulf %x, %slope : f32\n %t = arith.addf %e, %p : f32",
    "fall": "%p = arith.mulf %x, %slope : f32\n %t = arith.subf %e, %p : f32",
    "teeth": "%p = arith.mulf %m, %slope : f32\n %t = arith.addf %e, %p : f32",
    "late": "%c = arith.cmpf oge, %x, %far : f32\n %t = arith.select %c, %e, %ninf : f32",
    "late_finite": "%c = arith.cmpf oge, %x, %far : f32\n %t = arith.select %c, %e, %least : f32",
    "early": "%c = arith.cmpf olt, %x, %near : f32\n %t = arith.select %c, %e, %ninf : f32",
    "holes": "%c = arith.cmpf olt, %m, %near : f32\n %t = arith.select %c, %e, %ninf : f32",
    "one": "%c = arith.cmpf oeq, %x, %far : f32\n %t = arith.select %c, %e, %ninf : f32",
    "none": "%t = arith.addf %e, %ninf : f32",
    "spike": "%c = arith.cmpf oeq, %x, %far : f32\n %p = arith.addf %e, %high : f32\n %t = arith.select %c, %p, %e : f32",
}


def diagram(name, scores, element, slope, depth):
    return f"""!q = !ncd.array<q=70, d={depth}, {element}>
!k = !ncd.array<x=300, d={depth}, {element}>
!s = !ncd.array<q=70, x=300, f32>
!p = !ncd.array<q=70, x=300, {element}>
ncd.diagram @{name}(%q: !q, %k: !k, %v: !k) -> !q {{
  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %u = ncd.map %s {{
  ^bb0(%e: f32):
    %i = ncd.index "x" : index
    %j = arith.index_cast %i : index to i32
    %x = arith.sitofp %j : i32 to f32
    %one = arith.constant 1.0 : f32
    %slope = arith.constant {slope} : f32
    %period = arith.constant 90 : index
    %w = arith.remui %i, %period : index
    %n = arith.index_cast %w : index to i32
    %m = arith.sitofp %n : i32 to f32
    %near = arith.constant 40.0 : f32
    %far = arith.constant 200.0 : f32
    %high = arith.constant 3.0e4 : f32
    %least = arith.constant -3.0e38 : f32
    %ninf = arith.constant 0xFF800000 : f32
    {scores}
    ncd.yield %t : f32
  }} : !s -> !s
  %p = ncd.softmax %u over [x] : !s -> !p
  %o = ncd.contract %p, %v over [x] : !p, !k -> !q
  ncd.return %o : !q
}}
"""


def cases():
    for element, depth in (("bf16", 64), ("f16", 32)):
        for name, scores in SCORES.items():
            for slope in ("0.0625", "40.0") if "%slope" in scores else ("1.0",):
                yield f"{element}-{name}-{slope}", diagram(name, scores, element, slope, depth)


# How each is compiled: with pins that only forbid something.
FORMS = {
    "lazy": [],
    "eager": ["--pin-forms=lazy:false"],
    "eager, sums whole, rows close": ["--pin-forms=lazy:false,parts:1,padded:false"],
}


def is_right(name, form, command):
    """Whether the kernel has the form and all that it computes is right."""
    scheduled = subprocess.run([*command, "--emit=schedule"], capture_output=True, text=True)
    lazy = "ncd.when" in scheduled.stdout
    verdicts = []
    for inputs in ("usual", "shifted"):
        options = [] if inputs == "usual" else [f"--inputs={inputs}"]
        run = subprocess.run([*command, "--verify", *options], capture_output=True, text=True)
        good = run.returncode == 0 and run.stdout.endswith("verified\n")
        verdicts.append("verified" if good else "WRONG")
        if not good:
            print(run.stdout + run.stderr[:1500])
    print(f"{name}, {form}: {'lazy' if lazy else 'eager'}, {', '.join(verdicts)}")
    return lazy == (form == "lazy") and "WRONG" not in verdicts


def main(napkinc, folder):
    wrong = 0
    for name, text in cases():
        path = os.path.join(folder, name + ".mlir")
        with open(path, "w") as file:
            file.write(text)
        for form, pins in FORMS.items():
            wrong += not is_right(name, form, [napkinc, path, "--pin-stream=x:64", *pins])
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
