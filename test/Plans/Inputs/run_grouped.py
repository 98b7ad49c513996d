#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles and executes a grouped product whose blocks take their tiles from a list.

usage: run_grouped.py NAPKINC NAPKIN-RUN FILE.mlir SIZE...

y[t, n] = sum over k of x[rows[t], k] w[e, k, n] for the tokens t of each expert e, of
whom expert number i has the i-th SIZE. The list has a tile of at most 64 tokens in each
entry: its expert, its first token and the first one behind its expert's. Inputs are small
whole numbers, so every sum is exact. Exit status 1 if one is wrong or the executor finds
a fault.
"""

import os
import random
import re
import struct
import subprocess
import sys
import tempfile

TILE = 64


def write_npy(path, shape, values, kind, code):
    """Writes values of the NumPy type `kind` as an array of `shape`."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{len(values)}{code}", *values))


def main():
    compiler, executor, source = sys.argv[1:4]
    sizes = list(map(int, sys.argv[4:]))
    with open(source) as file:
        text = file.read()
    rows, depth = map(int, re.search(r"%x: !ncd.array<t=(\d+), k=(\d+), f16>", text).groups())
    experts, columns = map(int, re.search(r"%w: !ncd.array<e=(\d+), k=\d+, n=(\d+), f16>", text).groups())
    tokens = int(re.search(r"%rows: !ncd.array<t=(\d+), i32>", text).group(1))
    tiles = int(re.search(r"%expert: !ncd.array<tile=(\d+), i32>", text).group(1))
    listed, first = [], 0
    for expert, size in enumerate(sizes):
        listed += [(expert, begin, first + size) for begin in range(first, first + size, TILE)]
        first += size
    if len(sizes) != experts or first != tokens or len(listed) != tiles:
        sys.exit(f"{first} tokens of {len(sizes)} experts are {len(listed)} tiles, and the program is of {tokens}, {experts}, {tiles}")
    random.seed(1)
    whole = lambda count: [random.randint(-2, 2) for _ in range(count)]
    x, w = whole(rows * depth), whole(experts * depth * columns)
    table = [random.randrange(rows) for _ in range(tokens)]
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        inputs = [((rows, depth), x, "<f2", "e"), ((experts, depth, columns), w, "<f2", "e"), ((tokens,), table, "<i4", "i")]
        inputs += [((tiles,), list(column), "<i4", "i") for column in zip(*listed)]
        given = []
        for number, (shape, values, kind, code) in enumerate(inputs):
            write_npy(path(f"{number}.npy"), shape, values, kind, code)
            given += ["--in", f"arg{number}=" + path(f"{number}.npy")]
        subprocess.run([compiler, source, "-o", path("k.ptx")], check=True)
        command = [executor, "--manifest", path("k.json"), *given, "--out", "result0=" + path("y.npy")]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            sys.exit(run.stdout + run.stderr)
        with open(path("y.npy"), "rb") as file:
            y = struct.unpack(f"<{tokens * columns}f", file.read()[-4 * tokens * columns :])
    wrong = 0
    for expert, begin, end in listed:
        for t in range(begin, min(begin + TILE, end)):
            for n in range(columns):
                expected = sum(x[table[t] * depth + k] * w[(expert * depth + k) * columns + n] for k in range(depth))
                wrong += y[t * columns + n] != expected
    sys.exit(f"{wrong} of {tokens * columns} sums are wrong" if wrong else print("right"))


main()
