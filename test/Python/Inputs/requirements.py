# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Says which dependencies of the package its build requires: requirements.py PYPROJECT.toml"""

import re
import sys

with open(sys.argv[1]) as file:
    text = file.read()


def names(key):
    """The names of packages in a list of pyproject.toml, without their versions."""
    listed = re.search(rf"^{key} = \[(.*?)\]", text, re.M | re.S).group(1)
    return {re.match(r"[\w.-]+", entry).group() for entry in re.findall(r'"(.*?)"', listed)}


needed = names("dependencies")
missing = needed - names("requires")
print("missing: " if missing else "needed and there: ", ", ".join(sorted(missing or needed)), sep="")
