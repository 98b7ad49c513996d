# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs every script of a folder with --help: it prints a description and its own name."""

import os
import subprocess
import sys

folder, faults, tried = sys.argv[1], 0, 0
for name in sorted(os.listdir(folder)):
    path = os.path.join(folder, name)
    if not (os.path.isfile(path) and os.access(path, os.X_OK)):
        continue
    for option in ("--help", "-h"):
        run = subprocess.run([path, option], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)
        tried += 1
        if run.returncode or run.stderr or name not in run.stdout or len(run.stdout.splitlines()) < 3:
            print(f"{name} {option}: status {run.returncode}\n{run.stdout}{run.stderr}")
            faults += 1
print(f"{tried} runs, {faults} faults")
sys.exit(1 if faults or not tried else 0)
