# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A kernel by cuda-bindings, as a user of the package launches it. usage: bindings.py FILE.ptx"""

import ctypes
import sys

from cuda.bindings import driver as cuda


def ok(result):
    """What a call returned, without its status."""
    assert result[0] == cuda.CUresult.CUDA_SUCCESS, result
    return result[1] if len(result) == 2 else result[1:]


ok(cuda.cuInit(0))
device = ok(cuda.cuDeviceGet(0))
ok(cuda.cuCtxSetCurrent(ok(cuda.cuDevicePrimaryCtxRetain(device))))
print(ok(cuda.cuDeviceGetName(100, device)).split(b"\0")[0].decode(), flush=True)
with open(sys.argv[1], "rb") as file:
    module = ok(cuda.cuModuleLoadData(file.read() + b"\0"))
kernel = ok(cuda.cuModuleGetFunction(module, b"scale"))
n = 500
x, y = (ctypes.c_float * n)(*range(n)), (ctypes.c_float * n)()
size = ctypes.sizeof(x)
on_device = ok(cuda.cuMemAlloc(size)), ok(cuda.cuMemAlloc(size))
ok(cuda.cuMemcpyHtoD(on_device[0], ctypes.addressof(x), size))
stream = ok(cuda.cuStreamCreate(0))
arguments = (*on_device, 2.0, n), (None, None, ctypes.c_float, ctypes.c_int)
ok(cuda.cuLaunchKernel(kernel, 4, 1, 1, 128, 1, 1, 0, stream, arguments, 0))
ok(cuda.cuStreamSynchronize(stream))
ok(cuda.cuMemcpyDtoH(ctypes.addressof(y), on_device[1], size))
print("y[499] =", y[499], flush=True)
# A null pointer is an error of the launch.
nothing = (0, 0, 2.0, n), (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_float, ctypes.c_int)
print(cuda.cuLaunchKernel(kernel, 4, 1, 1, 128, 1, 1, 0, stream, nothing, 0)[0].name)
