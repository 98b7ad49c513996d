# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes and prints .npy files without numpy.

usage: npy.py FILE DTYPE SHAPE FORMAT VALUE...    ("<f4" "(2,3)" f 1 2 ...)
       npy.py FILE                                prints dtype, shape and bytes
"""

import ast
import struct
import sys

MAGIC = b"\x93NUMPY\x01\x00"


def write(path, dtype, shape, form, values):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {ast.literal_eval(shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    numbers = [float(v) if form in "efd" else int(v, 0) for v in values]
    with open(path, "wb") as file:
        file.write(MAGIC + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{len(numbers)}{form}", *numbers))


def show(path):
    with open(path, "rb") as file:
        content = file.read()
    assert content[:8] == MAGIC
    length = struct.unpack("<H", content[8:10])[0]
    header = ast.literal_eval(content[10 : 10 + length].decode())
    print(header["descr"], header["shape"], content[10 + length :].hex())


if len(sys.argv) == 2:
    show(sys.argv[1])
else:
    write(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
