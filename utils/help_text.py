# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""--help, the same in every script of this folder."""

import sys


def answer_help(text):
    """Prints `text`, a script's own description, and ends, if it is asked for."""
    if {"--help", "-h"} & set(sys.argv[1:]):
        print(text.strip())
        sys.exit(0)
