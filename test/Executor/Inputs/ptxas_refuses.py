# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gives spellings to ptxas that it must refuse; prints those that it takes and how
many there are.

usage: ptxas_refuses.py LIST REGISTERS PTXAS

LIST has an instruction on each line; `# ...` is a comment, `@ sm_80 7.0` sets
target and version for what follows. REGISTERS is what stands before the
instruction in a kernel. Exits 1 if ptxas takes one.
"""

import os
import re
import subprocess
import sys
import tempfile

BATCH = 200


def errors(spellings, target, version, registers, ptxas, folder):
    """Positions in `spellings` that ptxas names, and whether it took the file."""
    path = os.path.join(folder, "refused.ptx")
    if float(version) < 8.3:
        registers = re.sub(r"\.reg \.b128 [^;]*;", "", registers)
    kernels, before = registers.rsplit(".visible .entry", 1)
    with open(path, "w") as file:
        file.write(f".version {version} .target {target} .address_size 64 {' '.join(kernels.split())}\n")
        for i, spelling in enumerate(spellings):
            entry = " ".join(before.split()).replace("k(", f"k{i}(", 1)
            file.write(f".visible .entry {entry} {spelling} L0: L1: END: ret; }}\n")
    run = subprocess.run(
        [ptxas, "-arch=sm_90a", "-O0", path, "-o", os.path.join(folder, "refused.cubin")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = {int(line) - 2 for line in re.findall(r"line (\d+); *(?:error|fatal)", run.stderr)}
    return found, run.returncode == 0


def main():
    listing, registers, ptxas = sys.argv[1:]
    groups, target = {}, ("sm_90a", "9.0")
    for line in open(listing).read().splitlines():
        if line.startswith("@ "):
            target = tuple(line.split()[1:])
        elif line and not line.startswith("#"):
            groups.setdefault(target, []).append(line)
    taken, before = [], open(registers).read()
    with tempfile.TemporaryDirectory() as folder:
        for (arch, version), spellings in groups.items():
            for start in range(0, len(spellings), BATCH):
                left = spellings[start : start + BATCH]
                # Some errors only show once there are none of the others.
                while left:
                    found, accepted = errors(left, arch, version, before, ptxas, folder)
                    if accepted:
                        taken += left
                    if not accepted and not found:
                        raise SystemExit(f"ptxas refuses without a line: {left}")
                    if accepted:
                        break
                    left = [spelling for i, spelling in enumerate(left) if i not in found]
    for spelling in taken:
        print("ptxas takes:", spelling)
    print(f"{len(taken)} of {sum(map(len, groups.values()))} are taken")
    return 1 if taken else 0


if __name__ == "__main__":
    sys.exit(main())
