#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Judges the plans of many diagrams by the rules of the plan verifier.

usage: verify_plans.py NAPKINC NAPKIN-OPT FOLDER FIRST LAST EXAMPLE...

Every example, and a random diagram for each seed in [FIRST, LAST) written to FOLDER, is
compiled to its schedule, and the plan of every kernel read off it (`ncd-verify-plan`).
Diagrams that are refused have no plan. Prints what each broken plan is told and how many
diagrams were judged; exit status 1 if a plan is broken.
"""

import os
import random
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Examples", "Inputs"))
from random_diagrams import Diagram


def main(compiler, checker, folder, first, last, *paths):
    paths = list(paths)
    for seed in range(int(first), int(last)):
        rng = random.Random(seed)
        diagram = Diagram(rng)
        for _ in range(rng.randint(1, 5)):
            rng.choice([diagram.map, diagram.map, diagram.fold, diagram.fold, diagram.contract])()
        paths.append(os.path.join(folder, f"{seed}.mlir"))
        with open(paths[-1], "w") as file:
            file.write(diagram.text())
    judged = broken = 0
    for path in paths:
        compiled = subprocess.run([compiler, path, "--emit=schedule"], capture_output=True)
        if compiled.returncode:
            continue
        judged += 1
        check = subprocess.run([checker, "--ncd-verify-plan", "-o", os.devnull], input=compiled.stdout, capture_output=True)
        if check.returncode:
            broken += 1
            print(f"{path}: {check.stderr.decode()}")
    print(f"{judged} judged, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 5 else __doc__)
