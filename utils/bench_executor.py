# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The executor's table of utils/bench: how fast napkin-run executes PTX.

The kernels of utils/executor_kernels run on one host thread, as often as
`turns` says. Seconds are those that the processor spent on the process (least of
three), less those of a run of one turn, so that neither other processes nor the
start count much.
"""

import json
import os
import resource
import subprocess

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
HEADER = ["executor", "unit", "checked", "unchecked", "slow-down", "a100", "h100", "goal"]
THREADS = 128

# Kernel, threads of its block, turns, unit, goal. Thread-instructions are counted
# in millions, multiply-accumulates in thousands of millions.
KERNELS = [
    ("integer", 128, 100000, "M thread-instr/s", 100),
    ("float", 128, 100000, "M thread-instr/s", 100),
    ("divergent", 128, 40000, "M thread-instr/s", 100),
    ("predicated", 128, 80000, "M thread-instr/s", 100),
    ("integer", 8, 1000000, "M thread-instr/s", 100),
    ("memory", 128, 20000, "M thread-instr/s", 100),
    ("mma", 128, 20000, "GMAC/s", 8),
    ("wgmma", 128, 3000, "GMAC/s", 8),
]
UNCHECKED = ["--no-checks", "--no-races"]
# Faithful numerics take longer: so many fewer turns.
FAITHFUL_SHARE = 8


class RunError(Exception):
    pass


def run_once(napkin_run, kernel, threads, turns, options):
    """Seconds of the processor, and the counters."""
    path = os.path.join(TOP, "utils", "executor_kernels", kernel + ".ptx")
    arguments = ["--arg", f"out:out:i32[{threads}]", "--arg", f"i32:{turns}", "--jobs=1", "--counters=json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(
        [napkin_run, path, "--block", str(threads), *arguments, *options], capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        raise RunError(f"{kernel}: {(result.stderr.strip().splitlines() or ['no message'])[0]}")
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, json.loads(result.stdout)


def rate(napkin_run, kernel, threads, turns, unit, options):
    def least(count):
        runs = [run_once(napkin_run, kernel, threads, count, options) for _ in range(3)]
        return min(seconds for seconds, _ in runs), runs[0][1]

    seconds, counters = least(turns)
    start, _ = least(1)
    work = counters["tensor_macs"] / 1e9 if unit == "GMAC/s" else counters["thread_instructions"] / 1e6
    return work / max(seconds - start, 1e-3)


def rows(napkin_run):
    yield HEADER
    for kernel, threads, turns, unit, goal in KERNELS:
        digits = 1 if unit == "GMAC/s" else 0

        def cell(options, count):
            value = rate(napkin_run, kernel, threads, count, unit, options)
            return value, f"{value:,.{digits}f}"

        checked, checked_text = cell([], turns)
        unchecked, unchecked_text = cell(UNCHECKED, turns)
        faithful = ["", ""]
        if unit == "GMAC/s":
            faithful = [cell(["--numerics=" + core, *UNCHECKED], turns // FAITHFUL_SHARE)[1] for core in ("a100", "h100")]
        name = kernel if threads == THREADS else f"{kernel}, {threads} threads"
        yield [name, unit, checked_text, unchecked_text, f"{unchecked / checked:.1f}", *faithful, f"{goal:,}"]
