# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products in every element type and of every shape: compiled, executed and judged.

usage: products.py NAPKINC FOLDER TARGET ELEMENT...

For each element type a few products are written to FOLDER and given to `napkinc
--verify`: matrices in all four storage orders, of sizes that no tile divides, with a
batch, times a vector, of vectors, of three factors, and one whose result is used in
the same kernel. Prints one line for each: its name, the instruction that multiplies,
and what came of it. Status 1 if anything is not verified.
"""

import os
import re
import subprocess
import sys

SUMS = {"f64": "f64", "i8": "i32", "i32": "i32", "i64": "i64"}


def array(axes, sizes, element):
    return "!ncd.array<" + "".join(f"{axis}={sizes[axis]}, " for axis in axes) + element + ">"


def product(name, element, factors, over, result, sizes, after=""):
    """A diagram of one contract; factors and result are strings of axes of one letter."""
    total = SUMS.get(element, "f32")
    types = [array(axes, sizes, element) for axes in factors]
    out = array(result, sizes, total)
    arguments = ", ".join(f"%f{i}: {type}" for i, type in enumerate(types))
    names = ", ".join(f"%f{i}" for i in range(len(factors)))
    lines = [f"  %p = ncd.contract {names} over [{', '.join(over)}] : {', '.join(types)} -> {out}"]
    last = "%p"
    if after:
        last = "%r"
        lines.append(f"  %r = ncd.map %p {{\n  ^bb0(%e: {total}):\n    %w = arith.{after} %e, %e : {total}")
        lines.append(f"    ncd.yield %w : {total}\n  }} : {out} -> {out}")
    body = "\n".join(lines)
    return f"ncd.diagram @{name}({arguments}) -> {out} {{\n{body}\n  ncd.return {last} : {out}\n}}\n"


def cases(element):
    odd = {"m": 37, "n": 50, "k": 72, "b": 3}
    even = {"m": 64, "n": 64, "k": 128, "b": 2}
    add = "addi" if element.startswith("i") else "addf"
    yield "even", product("even", element, ["mk", "kn"], "k", "mn", even)
    yield "rows_rows", product("rows_rows", element, ["mk", "nk"], "k", "mn", odd)
    yield "rows_columns", product("rows_columns", element, ["mk", "kn"], "k", "mn", odd)
    yield "columns_rows", product("columns_rows", element, ["km", "nk"], "k", "mn", odd)
    yield "columns_columns", product("columns_columns", element, ["km", "kn"], "k", "nm", odd)
    yield "batch", product("batch", element, ["bmk", "bkn"], "k", "bmn", odd)
    yield "used", product("used", element, ["mk", "nk"], "k", "mn", odd, add)
    yield "vector", product("vector", element, ["mk", "k"], "k", "m", odd)
    yield "inner", product("inner", element, ["k", "k"], "k", "", odd)
    yield "outer", product("outer", element, ["m", "n"], "", "mn", odd)
    yield "three", product("three", element, ["mk", "kn", "k"], "k", "mn", odd)
    yield "chain", product("chain", element, ["mk", "kb", "bn"], "kb", "mn", odd)


def main(napkinc, folder, target, elements):
    wrong = 0
    for element in elements:
        element, _, rounded = element.partition("+")
        options = ["--allow-tf32"] if rounded else []
        for name, text in cases(element):
            path = os.path.join(folder, f"{target}-{element}{rounded}-{name}.mlir")
            with open(path, "w") as file:
                file.write(text)
            command = [napkinc, path, f"--target={target}", *options]
            scheduled = subprocess.run([*command, "--emit=schedule"], capture_output=True, text=True)
            used = sorted(set(re.findall(r'as <"([^"]+)"', scheduled.stdout))) or ["elements"]
            run = subprocess.run([*command, "--verify"], capture_output=True, text=True)
            good = run.returncode == 0 and run.stdout.endswith("verified\n")
            conflicts = sum(map(int, re.findall(r"bank conflicts\s+(\d+)", run.stdout)))
            print(f"{element}{rounded} {name}: {', '.join(used)}, {'verified' if good else 'WRONG'}, {conflicts} bank conflicts")
            if not good:
                wrong += 1
                print(run.stdout + run.stderr[:1500])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4], sys.argv[4:]) if len(sys.argv) > 4 else __doc__)
