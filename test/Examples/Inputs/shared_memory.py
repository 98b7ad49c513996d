# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares the shared memory of the report with that of the launch.

usage: shared_memory.py NAPKINC FOLDER DIAGRAM...

Every diagram is compiled for every target. A kernel whose report names other bytes than
its launch in the manifest is printed; the last line counts.
"""

import json
import os
import subprocess
import sys


def compare(napkinc, folder, path, target):
    """The number of kernels and of those that differ."""
    manifest = os.path.join(folder, "manifest.json")
    run = subprocess.run(
        [napkinc, path, f"--target={target}", "--emit=manifest", "--report=json", "-o", manifest],
        capture_output=True,
        text=True,
        check=True,
    )
    text = run.stdout + run.stderr
    report = json.JSONDecoder().raw_decode(text[text.index("{") :])[0]
    with open(manifest) as file:
        launches = {kernel["entry"]: kernel["dynamic_shared_bytes"] for kernel in json.load(file)["kernels"]}
    different = 0
    for kernel in report["kernels"]:
        if kernel["shared_bytes"] != launches[kernel["entry"]]:
            print(f"{path} {target} {kernel['entry']}: {kernel['shared_bytes']} {launches[kernel['entry']]}")
            different += 1
    return len(report["kernels"]), different


def main(napkinc, folder, *paths):
    kernels = different = 0
    for path in paths:
        for target in ("sm_80", "sm_86", "sm_89"):
            counted = compare(napkinc, folder, path, target)
            kernels += counted[0]
            different += counted[1]
    print(f"{kernels} kernels, {different} different")


if __name__ == "__main__":
    main(*sys.argv[1:])
