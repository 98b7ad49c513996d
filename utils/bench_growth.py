# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of utils/bench --growth: what planning long diagrams takes.

Diagrams of a few kinds are written with more and more layers and planned by
`napkinc --emit=schedule`. Seconds are those that the processor spent on the
process (least of three), less those for printing the diagram as it was read.
"""

import os
import re
import resource
import subprocess

HEADER = ["growth", "operations", "kernels", "seconds"]
ROWS, WIDTH = 4096, 1024

class RunError(Exception):
    pass


def array(*axes, element="bf16"):
    return f"!ncd.array<{', '.join(axes)}, {element}>"


def diagram(arguments, lines, result, kind):
    listed = ", ".join(f"{name}: {type}" for name, type in arguments)
    body = "\n".join("  " + line for line in lines)
    return f"ncd.diagram @growth({listed}) -> {kind} {{\n{body}\n  ncd.return {result} : {kind}\n}}\n"


def element_map(result, operands, kinds, kind, body):
    """An ncd.map that widens its operands to f32 and rounds what `body` makes of them."""
    names = [f"%e{i}" for i in range(len(operands))]
    lines = [f"{result} = ncd.map {', '.join(operands)} {{"]
    lines.append("^bb0(" + ", ".join(f"{n}: {k.rsplit(', ', 1)[1][:-1]}" for n, k in zip(names, kinds)) + "):")
    for name, type in zip(names, kinds):
        wide = "arith.extf {0} : bf16 to f32" if type.endswith("bf16>") else "arith.addf {0}, {0} : f32"
        lines.append(f"  {name}w = {wide.format(name)}")
    lines += ["  " + line for line in body]
    lines += ["  %rounded = arith.truncf %result : f32 to bf16", "  ncd.yield %rounded : bf16"]
    lines.append("} : " + ", ".join(kinds) + " -> " + kind)
    return lines


def maps(count):
    """`count` maps, one after another."""
    kind = array(f"m={ROWS}", f"e={WIDTH}")
    lines = []
    for i in range(count):
        lines += element_map(f"%v{i + 1}", [f"%v{i}"], [kind], kind, ["%result = math.absf %e0w : f32"])
    return diagram([("%v0", kind)], lines, f"%v{count}", kind)


def layers(count):
    """`count` times a norm of every row and a product, over axes of their own."""
    arguments = [("%v0", array(f"m={ROWS}", f"e0={WIDTH}"))]
    lines = []
    for i in range(count):
        here, there = array(f"m={ROWS}", f"e{i}={WIDTH}"), array(f"m={ROWS}", f"e{i + 1}={WIDTH}")
        weights = array(f"e{i}={WIDTH}", f"e{i + 1}={WIDTH}")
        arguments.append((f"%w{i}", weights))
        lines.append(f"%n{i} = ncd.rms_norm %v{i} over [e{i}] eps 1.0e-06 : {here} -> {here}")
        lines.append(f"%v{i + 1} = ncd.contract %n{i}, %w{i} over [e{i}] : {here}, {weights} -> {there}")
    return diagram(arguments, lines, f"%v{count}", array(f"m={ROWS}", f"e{count}={WIDTH}"))


def blocks(count):
    """`count` transformer blocks that attend to stored keys and values."""
    m, e, h, d, x, f = f"m={ROWS}", f"e={WIDTH}", "h=16", "d=64", f"x={ROWS}", "f=4096"
    rows, hidden, heads = array(m, e), array(m, f), array(h, m, d)
    stored, scores = array(h, x, d), array(h, m, x, element="f32")
    weights, wide = array(h, m, x), array(m, e, element="f32")
    sums, gates = array(h, m, d, element="f32"), array(m, f, element="f32")
    arguments, lines = [("%v0", rows)], []
    for i in range(count):

        def contract(result, a, kind_a, b, kind_b, over, kind):
            lines.append(f"%{result}{i} = ncd.contract %{a}{i}, %{b}{i} over [{over}] : {kind_a}, {kind_b} -> {kind}")

        kinds = {"wq": array(e, h, d), "k": stored, "y": stored, "wo": array(h, d, e)}
        kinds |= {"wg": array(e, f), "wu": array(e, f), "wd": array(f, e)}
        arguments += [(f"%{name}{i}", kind) for name, kind in kinds.items()]
        lines.append(f"%n{i} = ncd.rms_norm %v{i} over [e] eps 1.0e-06 : {rows} -> {rows}")
        contract("q", "n", rows, "wq", kinds["wq"], "e", heads)
        contract("s", "q", heads, "k", stored, "d", scores)
        lines.append(f"%p{i} = ncd.softmax %s{i} over [x] : {scores} -> {weights}")
        contract("o", "p", weights, "y", stored, "x", heads)
        contract("z", "o", heads, "wo", kinds["wo"], "h, d", wide)
        add = ["%result = arith.addf %e0w, %e1w : f32"]
        lines += element_map(f"%r{i}", [f"%z{i}", f"%v{i}"], [wide, rows], rows, add)
        lines.append(f"%t{i} = ncd.rms_norm %r{i} over [e] eps 1.0e-06 : {rows} -> {rows}")
        contract("g", "t", rows, "wg", kinds["wg"], "e", gates)
        contract("u", "t", rows, "wu", kinds["wu"], "e", gates)
        gate = ["%power = math.exp %e0w : f32", "%result = arith.mulf %power, %e1w : f32"]
        lines += element_map(f"%b{i}", [f"%g{i}", f"%u{i}"], [gates, gates], hidden, gate)
        contract("c", "b", hidden, "wd", kinds["wd"], "f", wide)
        lines += element_map(f"%v{i + 1}", [f"%c{i}", f"%r{i}"], [wide, rows], rows, add)
    return diagram(arguments, lines, f"%v{count}", rows)


KINDS = [
    ("maps", maps, (10, 100, 400, 1000)),
    ("norm and product", layers, (2, 12, 48, 250)),
    ("transformer blocks", blocks, (1, 4, 16, 48)),
]


def processor_seconds(command, source):
    """Output and least processor seconds of three runs of `command` on `source`."""
    least = None
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = subprocess.run(command, input=source, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if result.returncode:
            raise RunError(result.stderr.strip().splitlines()[0])
        seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        least = seconds if least is None else min(least, seconds)
    return result.stdout, least


def rows(napkinc):
    yield HEADER
    for name, write, counts in KINDS:
        for count in counts:
            source = write(count)
            read, start = processor_seconds([napkinc, "--emit=ncd", "-o", "-", "-"], source)
            planned, seconds = processor_seconds([napkinc, "--emit=schedule", "-o", "-", "-"], source)
            operations = len(re.findall(r"= ncd\.(?:contract|map|reduce)", read))
            kernels = len(re.findall(r"= ncd\.kernel", planned))
            yield [f"{count} {name}", f"{operations:,}", f"{kernels:,}", f"{max(seconds - start, 0):.2f}"]
