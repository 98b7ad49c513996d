# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of utils/bench --forms: main loops beside what they should reach.

The goals are figures of kernels written by hand for sm_80 (bf16, ptxas 13.0, no
spills), with a little room.
"""

import os
import subprocess

HEADER = ["form", "partition", "regs", "spill", "sass/mma", "goal", "smem/mma", "goal"]
# Head sizes of keys and of values, the tiles of one of the forms that reach the goals
# (rows, warps, keys, slots), and the goals.
ATTENTION = [(64, 64, (128, 4, 64, 2), 4.10, 1.25), (96, 96, (128, 4, 64, 2), 3.40, 1.50),
             (128, 128, (128, 4, 32, 2), 3.10, 1.75), (192, 128, (128, 4, 32, 2), 2.75, 1.90),
             (256, 256, (128, 8, 64, 1), 2.50, 2.50)]
# Tiles of a product, and its goals.
PRODUCTS = [(128, 128, 1.85, 1.50), (128, 256, 1.75, 1.38)]


def attention(keys, values):
    """Attention of 4,096 queries and keys."""
    return f"""
!q = !ncd.array<h=32, q=4096, d={keys}, bf16>
!k = !ncd.array<h=32, x=4096, d={keys}, bf16>
!v = !ncd.array<h=32, x=4096, e={values}, bf16>
!o = !ncd.array<h=32, q=4096, e={values}, bf16>
!s = !ncd.array<h=32, q=4096, x=4096, f32>
!p = !ncd.array<h=32, q=4096, x=4096, bf16>
ncd.diagram @attention(%q: !q, %k: !k, %v: !v) -> !o {{
  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %t = ncd.map %s {{
  ^bb0(%e: f32):
    %scale = arith.constant {keys ** -0.5} : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  }} : !s -> !s
  %p = ncd.softmax %t over [x] : !s -> !p
  %o = ncd.contract %p, %v over [x] : !p, !v -> !o
  ncd.return %o : !o
}}
"""


PRODUCT = """
!a = !ncd.array<a=4096, b=4096, bf16>
!b = !ncd.array<b=4096, c=4096, bf16>
!c = !ncd.array<a=4096, c=4096, bf16>
ncd.diagram @product(%a: !a, %b: !b) -> !c {
  %c = ncd.contract %a, %b over [b] : !a, !b -> !c
  ncd.return %c : !c
}
"""


def figures(napkinc, folder, text, pins, static_figures):
    """The columns regs, spill, sass/mma and smem/mma of a diagram."""
    diagram, ptx = os.path.join(folder, "form.mlir"), os.path.join(folder, "form.ptx")
    with open(diagram, "w") as file:
        file.write(text)
    result = subprocess.run([napkinc, diagram, "-o", ptx, *pins], capture_output=True, text=True)
    if result.returncode:
        return ["failed", "-", "-", "-"]
    return static_figures("sm_80", ptx, folder)


def pins_of(tile, warps, chunk, slots):
    """Options that pin the partition of attention."""
    return [f"--pin-group=q:{tile}", f"--pin-warps={warps}", f"--pin-stream=x:{chunk}", f"--pin-stages={slots}", "--pin-split=none"]


def cases():
    """Name, partition, diagram, options and goals of each row."""
    for keys, values, form, *goals in ATTENTION:
        name = f"attention, heads of {keys}" + (f" and {values}" if keys != values else "")
        text = attention(keys, values)
        yield name, "chosen", text, [], goals
        tile, warps, chunk, slots = form
        yield name, f"{tile} rows, {warps} warps, {chunk} keys, {slots} slots", text, pins_of(*form), goals
    for rows, columns, *goals in PRODUCTS:
        yield "product", f"{rows} by {columns}", PRODUCT, [f"--pin-group=a:{rows},c:{columns}"], goals


def rows(napkinc, folder, static_figures):
    """The table, row by row; `static_figures(target, ptx, folder)` reads a PTX file."""
    yield HEADER
    for name, partition, text, pins, goals in cases():
        registers, spills, instructions, cycles = figures(napkinc, folder, text, pins, static_figures)
        yield [name, partition, registers, spills, instructions, f"{goals[0]:.2f}", cycles, f"{goals[1]:.2f}"]


def misses(table):
    """Rows of pinned partitions that spill or miss a goal, which need not hold for what is chosen."""
    for row in table[1:]:
        name, partition, _, spills, instructions, goal, cycles, least = row
        try:
            good = int(spills) == 0 and float(instructions) <= float(goal) and float(cycles) <= float(least)
        except ValueError:  # no loop, or it was not compiled
            good = False
        if partition != "chosen" and not good:
            yield row
