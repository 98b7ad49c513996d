#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same kernels from Triton, for the comparison that `utils/bench --peers` prints.

usage: bench_peers.py FOLDER [REPEATS]

Compiles attention and a matrix product as a Triton user would write them, for
sm_80 and without a GPU, saves the PTX in FOLDER and prints one JSON object per
kernel: its name, the PTX file and the seconds of each compilation after the first
(same process, no cache). Needs the pip package triton, and nothing else.
"""

import json
import os
import sys
import tempfile
import time

import help_text

help_text.answer_help(__doc__)

os.environ["TRITON_ALWAYS_COMPILE"] = "1"
os.environ.setdefault("TRITON_CACHE_DIR", tempfile.mkdtemp(prefix="triton-cache-"))

import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource


@triton.jit
def attention(Q, K, V, O, scale, queries, keys,
              D: tl.constexpr, ROWS: tl.constexpr, CHUNK: tl.constexpr):
    head = tl.program_id(1)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = tl.arange(0, D)
    chunk = tl.arange(0, CHUNK)
    q = tl.load(Q + head * queries * D + row[:, None] * D + column[None, :])
    k_at = K + head * keys * D + chunk[None, :] * D + column[:, None]
    v_at = V + head * keys * D + chunk[:, None] * D + column[None, :]
    top = tl.full([ROWS], float("-inf"), tl.float32)
    below = tl.zeros([ROWS], tl.float32)
    sums = tl.zeros([ROWS, D], tl.float32)
    for _ in range(0, keys, CHUNK):
        scores = tl.dot(q, tl.load(k_at)) * scale
        new_top = tl.maximum(top, tl.max(scores, 1))
        weights = tl.math.exp2(scores - new_top[:, None])
        correction = tl.math.exp2(top - new_top)
        below = below * correction + tl.sum(weights, 1)
        sums = tl.dot(weights.to(q.dtype), tl.load(v_at), sums * correction[:, None])
        top = new_top
        k_at += CHUNK * D
        v_at += CHUNK * D
    out = sums / below[:, None]
    tl.store(O + head * queries * D + row[:, None] * D + column[None, :], out.to(q.dtype))


@triton.jit
def contract(A, B, C, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    row = tl.program_id(0) * BM + tl.arange(0, BM)
    column = tl.program_id(1) * BN + tl.arange(0, BN)
    inner = tl.arange(0, BK)
    a_at = A + row[:, None] * K + inner[None, :]
    b_at = B + inner[:, None] * N + column[None, :]
    sums = tl.zeros([BM, BN], tl.float32)
    for _ in range(0, K, BK):
        sums = tl.dot(tl.load(a_at), tl.load(b_at), sums)
        a_at += BK
        b_at += BK * N
    tl.store(C + row[:, None] * N + column[None, :], sums.to(tl.bfloat16))


def attention_source(d, rows, chunk):
    pointers = {name: "*bf16" for name in "QKVO"}
    constants = {"D": d, "ROWS": rows, "CHUNK": chunk}
    return attention, {**pointers, "scale": "fp32", "queries": "i32", "keys": "i32"}, constants, (0, 1, 2, 3, 5, 6)


def contract_source(m, n, k):
    pointers = {name: "*bf16" for name in "ABC"}
    constants = {"BM": m, "BN": n, "BK": k}
    return contract, {**pointers, "M": "i32", "N": "i32", "K": "i32"}, constants, (0, 1, 2, 3, 4, 5)


# name -> (source, warps, stages): the sizes of Triton's own tutorials, and for
# each kernel the choice of warps that gives the shorter loop without spills.
KERNELS = {
    "attention d=128, 128x64, 8 warps": (attention_source(128, 128, 64), 8, 2),
    "attention d=64, 128x64, 4 warps": (attention_source(64, 128, 64), 4, 2),
    "contract 128x128x64, 4 warps": (contract_source(128, 128, 64), 4, 3),
    "contract 128x128x32, 4 warps": (contract_source(128, 128, 32), 4, 4),
}


def compile_once(source, warps, stages):
    function, signature, constants, divisible = source
    signature = {**signature, **{name: "constexpr" for name in constants}}
    attributes = {(index,): [["tt.divisibility", 16]] for index in divisible}
    return triton.compile(
        ASTSource(fn=function, signature=signature, constexprs=constants, attrs=attributes),
        target=GPUTarget("cuda", 80, 32),
        options={"num_warps": warps, "num_stages": stages},
    )


def main(folder, repeats):
    for name, (source, warps, stages) in KERNELS.items():
        compiled = compile_once(source, warps, stages)
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            compiled = compile_once(source, warps, stages)
            seconds.append(time.perf_counter() - start)
        path = os.path.join(folder, "triton " + name.replace("=", "").replace(",", "") + ".ptx")
        path = path.replace(" ", "_")
        with open(path, "w") as file:
            file.write(compiled.asm["ptx"])
        print(json.dumps({"peer": f"triton {triton.__version__}", "name": name, "ptx": path, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 3)
