# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Damages a hardware description member by member, and keeps what napkinc says.

usage: damage.py NAPKINC DIAGRAM.mlir HARDWARE.json FOLDER PATH=VALUE...

PATH is a member's name, and those inside of it, behind dots; VALUE is JSON. Prints
a line 'PATH=VALUE: message' for each.
"""

import copy
import json
import os
import subprocess
import sys

napkinc, diagram, hardware, folder, *changes = sys.argv[1:]
with open(hardware) as file:
    whole = json.load(file)
for number, change in enumerate(changes):
    path, _, value = change.partition("=")
    damaged = copy.deepcopy(whole)
    *outer, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place = damaged
    for step in outer:
        place = place[step]
    place[last] = json.loads(value)
    name = os.path.join(folder, f"damaged{number}.json")
    with open(name, "w") as file:
        json.dump(damaged, file)
    run = subprocess.run([napkinc, diagram, "--hardware=" + name, "-o", os.devnull], capture_output=True, text=True)
    print(f"{change}: {run.returncode}: {(run.stderr.splitlines() or [''])[0]}")
