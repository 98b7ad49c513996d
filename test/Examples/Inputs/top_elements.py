# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Searches for the largest elements at many sizes and verifies each.

    top_elements.py NAPKINC
"""

import subprocess
import sys

DIAGRAM = """
ncd.diagram @d(%x: !ncd.array<t={t}, e={e}, {type}>) -> (!ncd.array<t={t}, k={k}, {type}>, !ncd.array<k={k}, t={t}, i32>) {{
  %r = ncd.map %x {{
  ^bb0(%a: {type}):
    %wide = {widen}
    %two = arith.constant {scale} : f32
    %m = arith.mulf %wide, %two : f32
    %n = math.roundeven %m : f32
    %o = {narrow}
    ncd.yield %o : {type}
  }} : !ncd.array<t={t}, e={e}, {type}> -> !ncd.array<t={t}, e={e}, {type}>
  %v, %i = ncd.topk %r over [e] into "k" : !ncd.array<t={t}, e={e}, {type}> -> !ncd.array<t={t}, k={k}, {type}>, !ncd.array<k={k}, t={t}, i32>
  ncd.return %v, %i : !ncd.array<t={t}, k={k}, {type}>, !ncd.array<k={k}, t={t}, i32>
}}
"""

# Tokens, positions, how many are found, type, and what the scores are multiplied
# with before they are rounded: the smaller, the more are equal.
CASES = [
    (1, 1, 1, "f32", 1000.0),
    (1, 63, 3, "f32", 1.0),
    (3, 65, 5, "bf16", 4.0),
    (127, 8, 8, "f16", 1.0),
    (129, 160, 6, "f32", 1000.0),
    (65, 511, 2, "f32", 2.0),
]


def main(napkinc):
    wrong = 0
    for t, e, k, kind, scale in CASES:
        same = kind == "f32"
        text = DIAGRAM.format(
            t=t,
            e=e,
            k=k,
            type=kind,
            scale=scale,
            widen="arith.addf %a, %a : f32" if same else f"arith.extf %a : {kind} to f32",
            narrow="arith.addf %n, %n : f32" if same else f"arith.truncf %n : f32 to {kind}",
        )
        run = subprocess.run([napkinc, "-", "--verify"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.returncode or "\nverified" not in run.stdout:
            wrong += 1
            print(f"t={t} e={e} k={k} {kind}:\n{run.stdout}")
    print(f"{wrong} wrong")


if __name__ == "__main__":
    main(sys.argv[1])
