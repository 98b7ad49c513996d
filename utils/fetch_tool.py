#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes one of NVIDIA's command-line tools out of the wheel that ships it.

usage: fetch_tool.py ptxas|nvdisasm FOLDER

Writes FOLDER/NAME, ready to run. Nothing is installed into any Python: a wheel is
a zip file, pip downloads it, and one file of it is kept. Linux on x86-64 only.
"""

import os
import subprocess
import sys
import tempfile
import zipfile

import help_text

WHEELS = {
    "ptxas": "nvidia-cuda-nvcc==13.0.88",
    "nvdisasm": "nvidia-cuda-nvdisasm==13.5.37",
}


def fetch(name, folder):
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        subprocess.run(
            [*pip, "--no-deps", "--only-binary=:all:", "--dest", work, WHEELS[name]],
            check=True,
            stdin=subprocess.DEVNULL,
        )
        (wheel,) = [entry for entry in os.listdir(work) if entry.endswith(".whl")]
        with zipfile.ZipFile(os.path.join(work, wheel)) as archive:
            (entry,) = [n for n in archive.namelist() if n.endswith("/bin/" + name)]
            part = os.path.join(work, name)
            with open(part, "wb") as file:
                file.write(archive.read(entry))
        os.chmod(part, 0o755)
        # Moved as a whole: an interrupted run leaves no half a tool behind.
        os.replace(part, os.path.join(folder, name))


if __name__ == "__main__":
    help_text.answer_help(__doc__)
    if len(sys.argv) != 3 or sys.argv[1] not in WHEELS:
        sys.exit(__doc__)
    try:
        fetch(sys.argv[1], sys.argv[2])
    except (subprocess.CalledProcessError, ValueError, OSError, zipfile.BadZipFile) as error:
        sys.exit(f"{sys.argv[1]} cannot be taken from the wheel {WHEELS[sys.argv[1]]}: {error}")
