#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a tile program z[m, n] = sum over some k of x[m, k] y[k, n] and executes it.

usage: run_product.py NAPKINC NAPKIN-RUN FILE.mlir POSITIONS

POSITIONS is a Python function of (m, n) that gives the k that are to be summed, each
as often as it is to be counted: "lambda m, n: range(32, 256)". A third input
%p: !ncd.array<m=..., i32> says which row of x is meant by m, one with the axis k which
row of y is meant by k. The inputs are small whole numbers, so every sum is exact. Exit status 1 if a sum or the number of bytes
is not what it should be, or if the executor finds a fault.
"""

import os
import random
import re
import struct
import subprocess
import sys
import tempfile


def write_npy(path, shape, values, code="e"):
    """Writes f16 (or, with the code i, i32) values as an array of `shape`."""
    header = f"{{'descr': '{'<f2' if code == 'e' else '<i4'}', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{len(values)}{code}", *values))


def read_f32(path, count):
    with open(path, "rb") as file:
        return struct.unpack(f"<{count}f", file.read()[-4 * count :])


def main():
    compiler, executor, source = sys.argv[1:4]
    positions = eval(sys.argv[4])
    with open(source) as file:
        text = file.read()
    rows, depth = map(int, re.search(r"%x: !ncd.array<m=(\d+), k=(\d+), f16>", text).groups())
    height, columns = map(int, re.search(r"%y: !ncd.array<k=(\d+), n=(\d+), f16>", text).groups())
    random.seed(1)
    x = [random.randint(-2, 2) for _ in range(rows * depth)]
    y = [random.randint(-2, 2) for _ in range(height * columns)]
    looked = re.search(r"%p: !ncd.array<([mk])=(\d+), i32>", text)
    axis, count = (looked[1], int(looked[2])) if looked else ("", 0)
    table = [random.randrange(rows if axis == "m" else height) for _ in range(count)]
    lines = count if axis == "m" else rows
    row = lambda m: table[m] if axis == "m" else m
    line = lambda k: table[k] if axis == "k" else k
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        write_npy(path("x.npy"), (rows, depth), x)
        write_npy(path("y.npy"), (height, columns), y)
        write_npy(path("p.npy"), (count,), table, "i")
        subprocess.run([compiler, source, "-o", path("k.ptx")], check=True)
        run = subprocess.run(
            [executor, "--manifest", path("k.json"), "--in", "arg0=" + path("x.npy"), "--in", "arg1=" + path("y.npy")]
            + (["--in", "arg2=" + path("p.npy")] if axis else [])
            + ["--out", "result0=" + path("z.npy")],
            capture_output=True,
            text=True,
        )
        if run.returncode:
            sys.exit(run.stdout + run.stderr)
        z = read_f32(path("z.npy"), lines * columns)
        device = subprocess.run([compiler, source, "--emit=nvvm"], check=True, capture_output=True, text=True).stdout
    predicted = int(re.search(r"napkin.read_bytes = (\d+)", device).group(1))
    wrong = 0
    for m in range(lines):
        for n in range(columns):
            expected = sum(x[row(m) * depth + k] * y[line(k) * columns + n] for k in positions(m, n))
            if z[m * columns + n] != expected:
                wrong += 1
                if wrong < 4:
                    print(f"z[{m}, {n}] is {z[m * columns + n]}, not {expected}")
    counted = int(re.search(r"global read bytes\s+(\d+)", run.stdout).group(1))
    print(f"read bytes: predicted {predicted}, counted {counted}")
    if wrong:
        sys.exit(f"{wrong} of {lines * columns} sums are wrong")
    if predicted != counted:
        sys.exit("the bytes differ")
    print("right")


main()
