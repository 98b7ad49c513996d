#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes diagrams with masks, compiles and verifies each, and prints what is walked.

    bounds.py <napkinc> [name...]

Each case is attention or a plain reduction whose summand a condition on positions hides. A line of output is the name,
the bounds that the stream got, and whether results, and predicted and counted bytes, agree.
"""
import re
import subprocess
import sys
import tempfile

PRELUDE = """
    %iq = ncd.index "q" : index
    %ix = ncd.index "x" : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c37 = arith.constant 37 : index
    %c50 = arith.constant 50 : index
    %c64 = arith.constant 64 : index
    %c100 = arith.constant 100 : index
    %c127 = arith.constant 127 : index
    %c400 = arith.constant 400 : index
    %ahead = arith.subi %ix, %iq : index
    %causal = arith.cmpi sle, %ix, %iq : index
"""
HIDE = "    %ninf = arith.constant 0xFF800000 : f32\n    %r = arith.select %seen, %z, %ninf : f32\n"
CAUSAL = "    %seen = arith.cmpi ule, %ix, %iq : index\n" + HIDE
WINDOW = """
    %back = arith.subi %iq, %ix : index
    %near = arith.cmpi sle, %back, {width} : index
    %seen = arith.andi %near, %causal : i1
""" + HIDE


def attention(q, x, body, scale="0.125", d=64, over="softmax"):
    return f"""
!q = !ncd.array<h=2, q={q}, d={d}, bf16>
!k = !ncd.array<h=2, x={x}, d={d}, bf16>
!s = !ncd.array<h=2, q={q}, x={x}, f32>
!p = !ncd.array<h=2, q={q}, x={x}, bf16>
ncd.diagram @attention(%q: !q, %k: !k, %v: !k) -> !q {{
  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %t = ncd.map %s {{
  ^bb0(%e: f32):
    %scale = arith.constant {scale} : f32
    %z = arith.mulf %e, %scale : f32
{PRELUDE}{body}
    ncd.yield %r : f32
  }} : !s -> !s
  %p = ncd.softmax %t over [x] : !s -> !p
  %o = ncd.contract %p, %v over [x] : !p, !k -> !q
  ncd.return %o : !q
}}
"""


def weights(q, x, body):
    """No softmax: the scores themselves, or functions of them, are the weights."""
    text = attention(q, x, body)
    return text.replace("ncd.softmax %t over [x] : !s -> !p", """ncd.map %t {
  ^bb0(%w: f32):
    %n = arith.truncf %w : f32 to bf16
    ncd.yield %n : bf16
  } : !s -> !p""")


def reduction(q, x, monoid, body, more=""):
    return f"""
!t = !ncd.array<q={q}, x={x}, f32>
!r = !ncd.array<q={q}, f32>
ncd.diagram @reduction(%t: !t) -> !r {{
  %m = ncd.map %t {{
  ^bb0(%z: f32):
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
{PRELUDE}{body}
    ncd.yield %r : f32
  }} : !t -> !t
  %r = ncd.reduce {monoid} %m over [x] : !t -> !r
{more or "  ncd.return %r : !r"}
}}
"""


TANH = """
    %u = math.tanh %z : f32
    %thirty = arith.constant 30.0 : f32
    %y = arith.mulf %u, %thirty : f32
    %ninf = arith.constant 0xFF800000 : f32
    %r = arith.select %causal, %y, %ninf : f32
"""
ALIBI = """
    %i = arith.index_cast %ahead : index to i32
    %f = arith.sitofp %i : i32 to f32
    %slope = arith.constant 0.0625 : f32
    %b = arith.mulf %f, %slope : f32
    %y = arith.addf %z, %b : f32
    %ninf = arith.constant 0xFF800000 : f32
    %r = arith.select %causal, %y, %ninf : f32
"""
ADDED = """
    %ninf = arith.constant 0xFF800000 : f32
    %zero = arith.constant 0.0 : f32
    %b = arith.select %causal, %zero, %ninf : f32
    %r = arith.addf %z, %b : f32
"""
WEIGHT = """
    %w = math.exp %z : f32
    %zero = arith.constant 0.0 : f32
    %r = arith.select %causal, %w, %zero : f32
"""
SUM = "    %r = arith.select %causal, %z, %zero : f32\n"
FACTOR = "    %w = arith.select %causal, %one, %zero : f32\n    %r = arith.mulf %z, %w : f32\n"
NEAR = """
    %back = arith.subi %iq, %ix : index
    %distance = math.absi %back : index
    %seen = arith.cmpi slt, %distance, %c37 : index
    %r = arith.select %seen, %z, %zero : f32
"""
MASKED_MAX = "    %ninf = arith.constant 0xFF800000 : f32\n    %r = arith.select %causal, %z, %ninf : f32\n"
MASKED_MIN = "    %inf = arith.constant 0x7F800000 : f32\n    %r = arith.select %causal, %z, %inf : f32\n"



ROWS = """
!t = !ncd.array<q=70, x=1000, f32>
ncd.diagram @rows(%t: !t) -> !t {
  %m = ncd.map %t {
  ^bb0(%z: f32):
""" + PRELUDE + MASKED_MAX + """
    ncd.yield %r : f32
  } : !t -> !t
  %p = ncd.softmax %m over [x] : !t -> !t
  ncd.return %p : !t
}
"""


def seen(condition):
    return condition + HIDE


CASES = {
    "causal": attention(512, 512, CAUSAL),
    "causal_odd": attention(300, 300, CAUSAL),
    "causal_more_keys": attention(130, 500, CAUSAL),
    "causal_grouped": attention(300, 300, CAUSAL).replace("h=2, q", "h=2, m=3, q"),
    "causal_more_queries": attention(500, 130, CAUSAL),
    "causal_one_query": attention(1, 300, CAUSAL),
    "bottom_right": attention(200, 437, seen("    %far = arith.addi %iq, %c37 : index\n    %seen = arith.cmpi sle, %ix, %far : index\n")),
    "strict": attention(300, 300, seen("    %seen = arith.cmpi sgt, %iq, %ix : index\n")),
    "anticausal": attention(300, 300, seen("    %seen = arith.cmpi sge, %ix, %iq : index\n")),
    "anticausal_more_queries": attention(500, 130, seen("    %seen = arith.cmpi sge, %ix, %iq : index\n")),
    "window": attention(512, 512, WINDOW.format(width="%c127")),
    "window_odd": attention(700, 700, WINDOW.format(width="%c400")),
    "window_narrow": attention(300, 300, WINDOW.format(width="%c37")),
    "window_past_the_end": attention(500, 129, WINDOW.format(width="%c37")),
    "window_both_sides": attention(300, 300, seen("    %d = math.absi %ahead : index\n    %seen = arith.cmpi sle, %d, %c100 : index\n")),
    "prefix": attention(200, 300, seen("    %seen = arith.cmpi ult, %ix, %c100 : index\n")),
    "suffix": attention(200, 300, seen("    %seen = arith.cmpi uge, %ix, %c100 : index\n")),
    "causal_and_prefix": attention(300, 300, seen("    %p = arith.cmpi ult, %ix, %c100 : index\n    %seen = arith.andi %p, %causal : i1\n")),
    "causal_or_prefix": attention(300, 300, seen("    %p = arith.cmpi ult, %ix, %c100 : index\n    %seen = arith.ori %p, %causal : i1\n")),
    "causal_and_suffix": attention(300, 300, seen("    %p = arith.cmpi uge, %ix, %c100 : index\n    %seen = arith.andi %p, %causal : i1\n")),
    "minimum": attention(300, 300, seen("    %m = arith.minsi %iq, %c100 : index\n    %seen = arith.cmpi sle, %ix, %m : index\n")),
    "blocks": attention(300, 300, seen("    %a = arith.divui %ix, %c64 : index\n    %b = arith.divui %iq, %c64 : index\n    %seen = arith.cmpi sle, %a, %b : index\n")),
    "strided": attention(300, 300, seen("    %a = arith.remui %ahead, %c37 : index\n    %seen = arith.cmpi eq, %a, %c0 : index\n")),
    "added": attention(300, 300, ADDED),
    "softcap": attention(300, 300, TANH),
    "alibi": attention(300, 300, ALIBI),
    "negative_scale": attention(300, 300, CAUSAL, scale="-0.125"),
    "weights": weights(300, 300, WEIGHT),
    "hidden_nan": attention(300, 300, "    %nan = arith.constant 0x7FC00000 : f32\n    %r = arith.select %causal, %z, %nan : f32\n"),
    "rows": ROWS,
    "sum": reduction(300, 1000, "sum", SUM),
    "factor": reduction(300, 1000, "sum", FACTOR),
    "near": reduction(300, 300, "sum", NEAR),
    "max": reduction(300, 300, "max", MASKED_MAX),
    "min": reduction(300, 300, "min", MASKED_MIN),
    "counted": reduction(300, 300, "sum", "    %r = arith.select %causal, %z, %one : f32\n"),
}


# Values of any size, infinite ones and NaN among them, at hidden positions too.
EXTREME = ("causal_odd", "window_odd", "anticausal", "added", "weights", "max")


def pins(text):
    """Tiles and chunks that divide no size, whatever the schedule prefers."""
    if "@rows" in text:
        return ["--pin-stream=x:64"]
    if "@reduction" in text:
        return ["--pin-stream=x:64", "--pin-group=q:16"]
    return ["--pin-stream=x:32"] + ([] if "q=1," in text else ["--pin-group=q:64"])


def run(napkinc, name):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/{name}.mlir"
        with open(path, "w") as file:
            file.write(CASES[name])
        command = [napkinc, path] + pins(CASES[name])
        ir = subprocess.run(command + ["--emit=schedule", "-o", "-"], capture_output=True, text=True)
        found = re.findall(r'ncd.stream "x"(.*?) ins\(', ir.stdout)
        bounds = " then ".join(one.strip() or "all" for one in found) or "no stream"
        notes = []
        for inputs in ("normal", "extreme") if name in EXTREME else ("normal",):
            done = subprocess.run(command + ["--verify", f"--inputs={inputs}"], capture_output=True, text=True)
            good = done.returncode == 0 and "verified" in done.stdout.splitlines()
            notes.append("verified" if good else "WRONG\n" + done.stdout + done.stderr)
        print(f"{name}: {bounds}; {', '.join(notes)}", flush=True)


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return
    for name in sys.argv[2:] or CASES:
        run(sys.argv[1], name)


main()
