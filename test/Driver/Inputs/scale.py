# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""y = 2 x on the device, by the driver API through ctypes. usage: scale.py FILE.ptx COUNT LAUNCHED"""

import ctypes
import sys


def call(name, *arguments):
    result = getattr(cuda, name)(*arguments)
    if result:
        text = ctypes.c_char_p()
        cuda.cuGetErrorString(result, ctypes.byref(text))
        sys.exit(f"{name}: {text.value.decode()}")


cuda = ctypes.CDLL("libcuda.so.1")
count, launched = int(sys.argv[2]), int(sys.argv[3])
context, module, kernel = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
call("cuInit", 0)
call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
call("cuCtxSetCurrent", context)
call("cuModuleLoad", ctypes.byref(module), sys.argv[1].encode())
call("cuModuleGetFunction", ctypes.byref(kernel), module, b"scale")
host = (ctypes.c_float * count)(*range(count))
size = ctypes.c_size_t(ctypes.sizeof(host))
x, y, factor, n = ctypes.c_uint64(), ctypes.c_uint64(), ctypes.c_float(2), ctypes.c_int(launched)
call("cuMemAlloc_v2", ctypes.byref(x), size)
call("cuMemAlloc_v2", ctypes.byref(y), size)
call("cuMemcpyHtoD_v2", x, host, size)
arguments = (ctypes.c_void_p * 4)(*[ctypes.addressof(a) for a in (x, y, factor, n)])
call("cuLaunchKernel", kernel, (launched + 127) // 128, 1, 1, 128, 1, 1, 0, None, arguments, None)
call("cuMemcpyDtoH_v2", host, y, size)
print(f"y[{count - 1}] = {host[count - 1]:g}")
