# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention and its kin on scores as people mask them, and worse: verified.

usage: extreme_scores.py NAPKINC FOLDER [NAME...]

Each diagram hides scores by a number or an infinity, in some positions and some way,
or holds a NaN or +inf in some rows. Its PTX is executed and held against the double
precision reference, NaN by NaN. Ends with status 1 unless every one is verified.
"""

import itertools
import os
import subprocess
import sys

HIDDEN = ["-1.0e4", "-1.0e9", "-1.0e10", "-1.0e12", "-1.0e30", "-3.4028234e38", "1.0e10", "1.0e30", "0xFF800000"]

# Which of the positions are seen, on %i (row) and %j (column).
SEEN = {
    "right": "%seen = arith.cmpi sge, %j, %half : index",
    "left": "%seen = arith.cmpi slt, %j, %half : index",
    "none": "%seen = arith.cmpi slt, %j, %zero : index",
    "causal": "%seen = arith.cmpi sle, %j, %i : index",
    "window": """%far = arith.addi %j, %eight : index
    %near = arith.cmpi sle, %j, %i : index
    %late = arith.cmpi sgt, %far, %i : index
    %seen = arith.andi %near, %late : i1""",
}

# How a score %e is hidden by %hidden.
HIDE = {
    "select": """%s = arith.mulf %e, %scale : f32
    %r = arith.select %seen, %s, %hidden : f32""",
    "scaled": """%s = arith.select %seen, %e, %hidden : f32
    %r = arith.mulf %s, %scale : f32""",
    "added": """%s = arith.mulf %e, %scale : f32
    %none = arith.constant 0.0 : f32
    %b = arith.select %seen, %none, %hidden : f32
    %r = arith.addf %s, %b : f32""",
}


def scores(seen, hide, hidden):
    return f"""  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %t = ncd.map %s {{
  ^bb0(%e: f32):
    %i = ncd.index "q" : index
    %j = ncd.index "x" : index
    %zero = arith.constant 0 : index
    %eight = arith.constant 8 : index
    %half = arith.constant 100 : index
    %hidden = arith.constant {hidden} : f32
    %scale = arith.constant 0.2 : f32
    {SEEN[seen]}
    {HIDE[hide]}
    ncd.yield %r : f32
  }} : !s -> !s
"""


# A guarded softmax with an extra logit, by hand.
SINK = """  %m0 = ncd.reduce max %t over [x] : !s -> !l
  %m = ncd.map %m0, %sink {
  ^bb0(%a: f32, %b: f32):
    %far = arith.constant 300.0 : f32
    %low = arith.mulf %b, %far : f32
    %r = arith.maximumf %a, %low : f32
    ncd.yield %r : f32
  } : !l, !h -> !l
  %e = ncd.map %t, %m {
  ^bb0(%a: f32, %b: f32):
    %c = arith.subf %a, %b : f32
    %r = math.exp %c : f32
    ncd.yield %r : f32
  } : !s, !l -> !s
  %l0 = ncd.reduce sum %e over [x] : !s -> !l
  %l = ncd.map %l0, %sink, %m {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %far = arith.constant 300.0 : f32
    %low = arith.mulf %b, %far : f32
    %d = arith.subf %low, %c : f32
    %x = math.exp %d : f32
    %r = arith.addf %a, %x : f32
    ncd.yield %r : f32
  } : !l, !h, !l -> !l
  %p = ncd.map %e, %l {
  ^bb0(%a: f32, %b: f32):
    %c = arith.divf %a, %b : f32
    %r = arith.truncf %c : f32 to ELEMENT
    ncd.yield %r : ELEMENT
  } : !s, !l -> !p
  %o = ncd.contract %p, %v over [x] : !p, !k -> !q
  %z = ncd.map %l, %m {
  ^bb0(%a: f32, %b: f32):
    %c = math.log %a : f32
    %r = arith.addf %c, %b : f32
    ncd.yield %r : f32
  } : !l, !l -> !l
  ncd.return %o, %z : !q, !l
"""

# Masked behind the exponential, with the maximum of all scores.
BEHIND = """  %m = ncd.reduce max %s over [x] : !s -> !l
  %e = ncd.map %s, %m {
  ^bb0(%a: f32, %b: f32):
    %i = ncd.index "q" : index
    %j = ncd.index "x" : index
    %c = arith.subf %a, %b : f32
    %f = math.exp %c : f32
    %zero = arith.constant 0.0 : f32
    %seen = arith.cmpi sle, %j, %i : index
    %r = arith.select %seen, %f, %zero : f32
    ncd.yield %r : f32
  } : !s, !l -> !s
  %l = ncd.reduce sum %e over [x] : !s -> !l
  %p = ncd.map %e, %l {
  ^bb0(%a: f32, %b: f32):
    %c = arith.divf %a, %b : f32
    %r = arith.truncf %c : f32 to ELEMENT
    ncd.yield %r : ELEMENT
  } : !s, !l -> !p
  %o = ncd.contract %p, %v over [x] : !p, !k -> !q
  ncd.return %o : !q
"""

TAILS = {
    "attention": (
        "!q",
        """  %p = ncd.softmax %t over [x] : !s -> !p
  %o = ncd.contract %p, %v over [x] : !p, !k -> !q
  ncd.return %o : !q
""",
    ),
    "softmax": ("!p", "  %p = ncd.softmax %t over [x] : !s -> !p\n  ncd.return %p : !p\n"),
    "logsumexp": ("!l", "  %l = ncd.logsumexp %t over [x] : !s -> !l\n  ncd.return %l : !l\n"),
    "both": (
        "!q, !l",
        """  %p = ncd.softmax %t over [x] : !s -> !p
  %o = ncd.contract %p, %v over [x] : !p, !k -> !q
  %l = ncd.logsumexp %t over [x] : !s -> !l
  ncd.return %o, %l : !q, !l
""",
    ),
    "sink": ("!q, !l", SINK),
    "behind": ("!q", BEHIND),
}


def diagram(tail, element, scores_text):
    result, text = TAILS[tail]
    types = f"""!q = !ncd.array<q=41, d=24, {element}>
!k = !ncd.array<x=203, d=24, {element}>
!s = !ncd.array<q=41, x=203, f32>
!p = !ncd.array<q=41, x=203, {element}>
!l = !ncd.array<q=41, f32>
!h = !ncd.array<q=41, f32>
"""
    arguments = "%q: !q, %k: !k" + (", %v: !k" if "%v" in text else "") + (", %sink: !h" if "%sink" in text else "")
    return f"{types}ncd.diagram @d({arguments}) -> ({result}) {{\n{scores_text}{text.replace('ELEMENT', element)}}}\n"


def special(value, where):
    """Scores of which one is `value`, in the rows below 20."""
    return f"""  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %t = ncd.map %s {{
  ^bb0(%e: f32):
    %i = ncd.index "q" : index
    %j = ncd.index "x" : index
    %row = arith.constant 20 : index
    %column = arith.constant {where} : index
    %special = arith.constant {value} : f32
    %here = arith.cmpi eq, %j, %column : index
    %some = arith.cmpi slt, %i, %row : index
    %both = arith.andi %here, %some : i1
    %r = arith.select %both, %special, %e : f32
    ncd.yield %r : f32
  }} : !s -> !s
"""


def cases():
    """Each pair of choices at least once; names say what is in a diagram."""
    combinations = list(itertools.product(HIDDEN, SEEN, HIDE))
    tails = itertools.cycle(["attention", "logsumexp", "both", "sink", "softmax"])
    elements = itertools.cycle(["bf16", "f16", "bf16"])
    for number, (hidden, seen, hide) in enumerate(combinations):
        if number % 4 and not (seen == "none" and hide == "select"):
            continue
        if hidden == "0xFF800000" and hide == "scaled":
            continue
        tail, element = next(tails), next(elements)
        name = f"{tail}-{element}-{seen}-{hide}-{hidden.replace('.', '_')}"
        yield name, diagram(tail, element, scores(seen, hide, hidden))
    for value, where, tail in itertools.product(["0x7FC00000", "0x7F800000"], [0, 77, 202], TAILS):
        if (where == 77) == (tail in ("both", "softmax")):
            yield f"{tail}-{value}-{where}", diagram(tail, "bf16", special(value, where))
    for element in ("bf16", "f16"):
        yield f"behind-{element}", diagram("behind", element, scores("causal", "select", "-1.0"))


def main(napkinc, folder, *names):
    counts = {True: 0, False: 0}
    for name, text in cases():
        if names and name not in names:
            continue
        path = os.path.join(folder, name + ".mlir")
        with open(path, "w") as file:
            file.write(text)
        run = subprocess.run([napkinc, path, "--verify", "-o", path + ".ptx"], capture_output=True, text=True)
        # A result may be infinite everywhere, as its reference is: then nothing differs, and napkinc says that
        # nothing finite was compared.
        agrees = "NOTHING IS VERIFIED" in run.stdout and "TOO LARGE" not in run.stdout
        agrees &= "DIFFERENT" not in run.stdout
        counts[run.returncode == 0 or agrees] += 1
        if run.returncode != 0 and not agrees:
            print(f"{path}: status {run.returncode}\n{run.stdout[-1500:]}{run.stderr[:1500]}")
    print(f"{counts[True]} verified, {counts[False]} not")
    return 1 if counts[False] or not counts[True] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 2 else __doc__)
