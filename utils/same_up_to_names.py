#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Says whether two files of IR are the same program up to names.

usage: same_up_to_names.py FIRST.mlir SECOND.mlir

Names of values, of axes and of symbols are numbered in the order in which the
bodies use them, so renaming them makes no difference. Nor do the words in which a
stream describes its state, nor the order in which
a kernel or a diagram lists its arguments. Exit status 1, and the differing lines, if
anything else differs.
"""

import difflib
import re
import sys

import help_text

# A value or symbol; an axis in quotes, before its size, before its position or extent
# in a view, or with its part in a product or a bound; the axes after `over`.
NAME = re.compile(
    r'[%@][\w.]+|"\w+"|\b[A-Za-z_]\w*(?==[\d?]+\b| = %| : \d+[,\]])'
    r"|(?<=rows = )\w+|(?<=columns = )\w+|(?<=summed = )\w+|(?<=first\()\w+|(?<=last\()\w+"
)
LIST = re.compile(r"(?<=over \[)[\w, ]+(?=\])")
# An operation and the axes of its result, as causes name it.
OPERATION = re.compile(r"(?<=')\w+\[[\w,]+\](?=')")
# The stream's description of its state in words, for people, and the record of the
# names that the user has given to axes.
WORDS = re.compile(r'gauges \[".*?"\]|ncd\.joined = \{.*?>\}')
# A line that declares a function with its arguments, up to the last of them.
SIGNATURE = re.compile(r"^(\s*[\w.]+ @\w+\()((?:%\w+: .*?>(?: \{.*?\})?(?:, )?)*)(\).*)$")


def normal_form(text):
    """The lines of `text` with every name replaced by a number of its own."""
    numbers = {}

    def quoted(axes):
        return re.sub(r"\w+", r'"\g<0>"', axes)

    def operation(match):
        name, axes = match[0].split("[")
        return name + "[" + quoted(axes)

    def numbered(line):
        line = WORDS.sub("words", LIST.sub(lambda axes: quoted(axes[0]), OPERATION.sub(operation, line)))
        return NAME.sub(lambda name: "$" + str(numbers.setdefault(name[0].strip('"'), len(numbers))), line)

    lines = text.splitlines()
    declared = {}
    for index, line in enumerate(lines):
        if SIGNATURE.match(line):
            declared[index] = SIGNATURE.match(line)
        else:
            lines[index] = numbered(line)
    # Arguments are numbered by their uses, so they are sorted after all bodies.
    for index, match in declared.items():
        arguments = re.split(r", (?=%)", match[2])
        lines[index] = numbered(match[1]) + ", ".join(sorted(map(numbered, arguments))) + numbered(match[3])
    return lines


def main(first, second):
    with open(first) as one, open(second) as other:
        forms = normal_form(one.read()), normal_form(other.read())
    difference = list(difflib.unified_diff(*forms, first, second, lineterm="", n=0))
    print("\n".join(difference[:20]) if difference else "the same up to names")
    return 1 if difference else 0


if __name__ == "__main__":
    help_text.answer_help(__doc__)
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
