# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The memory of napkin-run in times of its arrays.

usage: memory.py SCRATCH MAXIMUM COMMAND...

COMMAND runs scale.ptx; the arguments of its launch are added: arrays of 2 x 32
MiB, the input from a file, the output to one. Fails when the memory beyond that
of a launch with small arrays is more than MAXIMUM times the arrays.
"""

import os
import struct
import subprocess
import sys

scratch, maximum, command = sys.argv[1], float(sys.argv[2]), sys.argv[3:]


def resident(elements):
    """Bytes that the process held at most."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({elements},), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(scratch + ".x.npy", "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack("<f", 1.5) * elements)
    arguments = ["--grid", str(elements // 256), "--block", "256", "--counters=none"]
    arguments += ["--in", f"x={scratch}.x.npy", "--out", f"y={scratch}.y.npy"]
    for argument in ("in:x", f"out:y:f32[{elements}]", "f32:2", f"i32:{elements}"):
        arguments += ["--arg", argument]
    process = subprocess.Popen(command + arguments)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed: {status}")
    return usage.ru_maxrss * 1024


large = 8 << 20
factor = (resident(large) - resident(256)) / (2 * 4 * large)
for name in ("x", "y"):
    os.remove(f"{scratch}.{name}.npy")
print(f"{factor:.2f} times the arrays")
if factor > maximum:
    sys.exit(f"more than {maximum}")
