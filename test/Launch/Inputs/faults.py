# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every call of the driver fails once: the first and the last of each function.

usage: faults.py FAULTY.so REAL.so COMMAND...

The command must then say what failed and with which error, exit with 1, and have
given back all that it took. What gives something back may fail in silence."""

import collections
import os
import subprocess
import sys
import tempfile

faulty, real, command = sys.argv[1], sys.argv[2], sys.argv[3:]
# Calls that are not asked for their result.
RELEASES = {"cuCtxPopCurrent_v2", "cuDevicePrimaryCtxRelease_v2", "cuEventDestroy_v2",
            "cuMemFree_v2", "cuModuleUnload", "cuStreamDestroy_v2"}
environment = dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(faulty), FAULTY_REAL=real)


def run(**more):
    return subprocess.run(command, env={**environment, **more}, capture_output=True, text=True, timeout=300)


with tempfile.TemporaryDirectory() as folder:
    trace = os.path.join(folder, "trace")
    good = run(FAULTY_TRACE=trace)
    assert good.returncode == 0 and "faulty: nothing left" in good.stderr, good.stderr
    calls = collections.Counter(open(trace).read().split())
assert len(calls) > 25, calls

wrong = 0
for name, count in sorted(calls.items()):
    for which in sorted({1, count}):
        done = run(FAULTY=f"{name}:{which}:700")
        lines = done.stderr.splitlines()
        told = [line for line in lines if line.startswith("error: ")]
        fine = lines and lines[-1] == "faulty: nothing left"
        # The context is made current once more to unload the kernels.
        if name in RELEASES or (name == "cuCtxPushCurrent_v2" and which == count):
            fine = fine and done.returncode == 0
        else:
            fine = fine and done.returncode == 1 and len(told) == 1
            fine = fine and told[0].endswith(
                ": the CUDA driver says CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered)")
        if not fine:
            wrong += 1
            print(f"call {which} of {name}: exit status {done.returncode}\n{done.stderr}")
print(f"{sum(len({1, n}) for n in calls.values())} faults, {wrong} of them not handled")
sys.exit(wrong > 0)
