# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A softmax that Triton compiles and launches, on memory of the driver: without PyTorch."""

import ctypes
import math

import triton
import triton.language as tl


@triton.jit
def softmax(X, Y, n, WIDTH: tl.constexpr):
    row = tl.program_id(0)
    i = tl.arange(0, WIDTH)
    x = tl.load(X + row * n + i, mask=i < n, other=-float("inf"))
    e = tl.exp(x - tl.max(x, 0))
    tl.store(Y + row * n + i, e / tl.sum(e, 0), mask=i < n)


class Array:
    """Floats on the device, as Triton wants to see them."""

    dtype = "fp32"

    def __init__(self, values):
        self.values = (ctypes.c_float * len(values))(*values)
        self.address = ctypes.c_uint64()
        assert not cuda.cuMemAlloc_v2(ctypes.byref(self.address), ctypes.sizeof(self.values))
        assert not cuda.cuMemcpyHtoD_v2(self.address, self.values, ctypes.c_size_t(ctypes.sizeof(self.values)))

    def data_ptr(self):
        return self.address.value

    def read(self):
        assert not cuda.cuMemcpyDtoH_v2(self.values, self.address, ctypes.c_size_t(ctypes.sizeof(self.values)))
        return list(self.values)


cuda = ctypes.CDLL("libcuda.so.1")
context = ctypes.c_void_p()
assert not cuda.cuInit(0)
assert not cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0)
assert not cuda.cuCtxSetCurrent(context)
rows, n = 5, 777
x = [math.sin(0.1 * i) * 3 for i in range(rows * n)]
given, result = Array(x), Array([0.0] * len(x))
softmax[(rows,)](given, result, n, WIDTH=1024)
assert not cuda.cuCtxSynchronize()
got, worst = result.read(), 0.0
for r in range(rows):
    row = [math.exp(v) for v in x[r * n : (r + 1) * n]]
    worst = max([worst] + [abs(a - b / sum(row)) for a, b in zip(got[r * n : (r + 1) * n], row)])
print("largest error", worst, "fine" if worst < 1e-8 else "too large")
