# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Napkin from Python: diagrams in, GPU kernels out, every byte counted.

    import napkin
    import numpy as np

    @napkin.diagram
    def attention(q: "h=4, q=512, d=64, f16", k: "h=4, x=512, d=64, f16", v: "h=4, x=512, d=64, f16"):
        s = napkin.einsum("h q d, h x d -> h q x", q, k)
        p = napkin.softmax(s * 0.125, over="x").astype("f16")
        return napkin.einsum("h q x, h x d -> h q d", p, v).astype("f16")

    kernel = attention.compile(target="sm_80")
    print(kernel.report)                        # what moves, before anything runs
    open("attention.ptx", "w").write(kernel.ptx)
    out = kernel.run(q, k, v)                   # on this CPU, under all checks
    assert kernel.verify()                      # against double precision, byte for byte

Text of the dialect is as good: napkin.compile(open("attention.mlir").read()).
"""

from ._native import Refusal
from .building import (
    Array,
    ArrayType,
    Diagram,
    concat,
    contract,
    diagram,
    einsum,
    index,
    layer_norm,
    logsumexp,
    map,
    reduce,
    rms_norm,
    softmax,
    topk,
    trace,
)
from .compiling import CompileError, Kernel, Report, compile, draw
from .elementwise import (
    abs,
    ceil,
    cos,
    erf,
    exp,
    exp2,
    floor,
    log,
    log1p,
    maximum,
    minimum,
    rsqrt,
    sin,
    sqrt,
    tanh,
    where,
)
from .running import Execution, Trap, run_ptx

__all__ = [
    "Array",
    "ArrayType",
    "CompileError",
    "Diagram",
    "Execution",
    "Kernel",
    "Refusal",
    "Report",
    "Trap",
    "abs",
    "ceil",
    "compile",
    "concat",
    "contract",
    "cos",
    "diagram",
    "draw",
    "einsum",
    "erf",
    "exp",
    "exp2",
    "floor",
    "index",
    "layer_norm",
    "log",
    "log1p",
    "logsumexp",
    "map",
    "maximum",
    "minimum",
    "reduce",
    "rms_norm",
    "rsqrt",
    "run_ptx",
    "sin",
    "softmax",
    "topk",
    "sqrt",
    "tanh",
    "trace",
    "where",
]
