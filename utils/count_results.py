#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints 'N passed, N failed' from lit's JSON record.

usage: count_results.py RESULTS.json

Tests that lit calls unsupported (a tool that they require is absent) or
skipped are counted as skipped. The exit status is 0 only if at least one test
passed and none failed.
"""

import collections
import json
import sys

import help_text

PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


def main(path):
    try:
        with open(path) as file:
            tests = json.load(file)["tests"]
    except (OSError, ValueError, KeyError) as error:
        print(f"count_results.py: no result can be read: {error}", file=sys.stderr)
        print("0 passed, 1 failed")
        return 1
    counts = collections.Counter(
        "passed" if test["code"] in PASSED
        else "skipped" if test["code"] in SKIPPED
        else "failed"
        for test in tests
    )
    line = f"{counts['passed']} passed, {counts['failed']} failed"
    if counts["skipped"]:
        line += f", {counts['skipped']} skipped"
    print(line)
    return 0 if counts["passed"] and not counts["failed"] else 1


if __name__ == "__main__":
    help_text.answer_help(__doc__)
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
