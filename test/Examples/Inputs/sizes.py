# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Examples with other lengths of their sequences.

usage: sizes.py NAPKINC FOLDER AXES SIZES EXAMPLE...

AXES names axes, "q,x", and SIZES lengths, "1,2,63": every length that the example
gives to one of the axes becomes each of SIZES in turn; "3x127" gives the first axis
3 positions and the others 127. Each file is verified, with inputs that change from
one to the next: results, and predicted, lowered and counted bytes. Prints one line
for an example: its kernels, or what is wrong.
"""
import os
import re
import subprocess
import sys

# Extreme ones make all of a short result NaN, in the reference too: nothing would be judged.
INPUTS = ["normal", "uniform", "outliers", "shifted", "masked"]


def main(napkinc, folder, axes, sizes, *examples):
    wrong = 0
    for example in examples:
        name = os.path.basename(example).removesuffix(".mlir")
        text = open(example).read()
        kernels = []
        for number, size in enumerate(sizes.split(",")):
            lengths = size.split("x")
            changed = text
            for place, axis in enumerate(axes.split(",")):
                changed = re.sub(rf"\b{axis}=\d+", f"{axis}={lengths[min(place, len(lengths) - 1)]}", changed)
            path = os.path.join(folder, f"{name}_{size}.mlir")
            with open(path, "w") as file:
                file.write(changed)
            command = [napkinc, path, "--verify", f"--inputs={INPUTS[number % len(INPUTS)]}", f"--seed={number + 1}"]
            run = subprocess.run(command, capture_output=True, text=True)
            kernels.append(len(re.findall(r"^kernel ", run.stdout, re.M)))
            if run.returncode:
                wrong += 1
                print(f"{' '.join(command)}: status {run.returncode}\n{run.stdout}{run.stderr[:2000]}")
        print(f"{name}: kernels {' '.join(map(str, kernels))}")
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 5 else __doc__)
