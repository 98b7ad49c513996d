#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of the repository itself: what a reviewer should not have to look for.

usage: repository_checks.py CHECK...        (no CHECK: all of them)
       repository_checks.py --fix format    rewrite what clang-format would change

Each check prints one line per finding, 'file:line: what to change', and the
exit status is 1 if there was any. The lit tests in test/Repository call them.
"""

import os
import re
import shutil
import subprocess
import sys

import help_text

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
CPP = (".h", ".cpp", ".c")
LICENCE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
# Longer files are read by nobody in one sitting: split them by topic.
LONGEST_FILE = 700
# Drawings, documents, recorded data and PTX are as long as their content.
ANY_LENGTH = (".md", ".svg", ".png", ".ptx", ".json", ".npy")


def files():
    """Paths, relative to the top, of all that is (or is about to be) committed."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={TOP}", "-C", TOP, "ls-files", "-z", "-co", "--exclude-standard"],
        capture_output=True,
    ) if shutil.which("git") else None
    if listed and listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
        return sorted(n for n in names if n and os.path.isfile(os.path.join(TOP, n)))
    # An unpacked archive has no git: take every file outside the build folders.
    found = []
    for folder, folders, names in os.walk(TOP):
        folders[:] = [f for f in folders if not (f.startswith("build") or f in (".git", "__pycache__"))]
        found += [os.path.relpath(os.path.join(folder, n), TOP) for n in names]
    return sorted(found)


def read(name):
    """The text of a file, or None where it is not text."""
    try:
        with open(os.path.join(TOP, name), encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        return None


def check_format(fix=False):
    """C++ is laid out as clang-format 22 does it."""
    tool = shutil.which("clang-format-22") or shutil.which("clang-format")
    if not tool:
        return ["clang-format-22: not found; install the package clang-format-22"]
    sources = [n for n in files() if n.endswith(CPP)]
    findings = []
    for start in range(0, len(sources), 64):
        batch = [os.path.join(TOP, n) for n in sources[start : start + 64]]
        if fix:
            subprocess.run([tool, "-i", *batch], check=True)
            continue
        run = subprocess.run([tool, "--dry-run", *batch], capture_output=True, text=True)
        for match in re.finditer(r"^(.+?):(\d+):\d+: (?:warning|error)", run.stderr, re.M):
            finding = f"{os.path.relpath(match[1], TOP)}:{match[2]}: not as clang-format lays it out"
            if not findings or findings[-1].split(":")[0] != finding.split(":")[0]:
                findings.append(finding + "; run utils/repository_checks.py --fix format")
    return findings


def check_licence():
    """Sources name their licence; C++ also opens with the banner line."""
    findings = []
    for name in files():
        text = read(name)
        if text is None:
            continue
        script = text.startswith("#!")
        if not (name.endswith(CPP + (".td", ".py")) or script) or not text.strip():
            continue
        head = "\n".join(text.splitlines()[:6])
        if LICENCE not in head:
            findings.append(f"{name}:1: no licence line ('{LICENCE}') in the first six lines")
        if name.endswith((".h", ".cpp")) and not text.startswith("//===- "):
            findings.append(f"{name}:1: no banner line ('//===- Name - what it is')")
    return findings


def check_length():
    """No source is too long to read in one sitting."""
    findings = []
    for name in files():
        text = None if name.endswith(ANY_LENGTH) or name == "LICENSE" else read(name)
        lines = text.count("\n") if text else 0
        if lines > LONGEST_FILE:
            findings.append(f"{name}:{lines}: {lines} lines, more than {LONGEST_FILE}: split it by topic")
    return findings


def check_words():
    """No file holds a path of one machine, nor a note that work was left open."""
    path = re.compile(r"(^|[^A-Za-z])/(work|root|home/[a-z]+|tmp/[a-z_-]+)/")
    # Spelled in halves, so that this file does not report itself.
    open_work = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
    findings = []
    for name in files():
        text = None if name.endswith(".svg") else read(name)
        for number, line in enumerate((text or "").splitlines(), 1):
            if path.search(line):
                findings.append(f"{name}:{number}: a path of one machine")
            if open_work.search(line) and name.startswith(("include/", "lib/", "tools/", "utils/")):
                findings.append(f"{name}:{number}: work left open by its own words")
    return findings


def check_links():
    """Relative links in the documents lead to a file, and to a heading that it has."""

    def anchors(text):
        headings = re.findall(r"^#+\s+(.*?)\s*$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
        slugs = (re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings)
        return set(slugs) | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))

    findings = []
    for name in files():
        if not name.endswith(".md"):
            continue
        # Code may hold brackets that are no links.
        text = re.sub(r"```.*?```", lambda m: "\n" * m[0].count("\n"), read(name), flags=re.S)
        text = re.sub(r"`[^`\n]*`", "", text)
        for match in re.finditer(r"\]\(([^)\s]+)\)", text):
            target, _, anchor = match[1].partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            number = text.count("\n", 0, match.start()) + 1
            path = os.path.normpath(os.path.join(TOP, os.path.dirname(name), target)) if target else os.path.join(TOP, name)
            if not os.path.exists(path):
                findings.append(f"{name}:{number}: the link '{match[1]}' leads nowhere")
            elif anchor and path.endswith(".md") and anchor not in anchors(read(os.path.relpath(path, TOP))):
                findings.append(f"{name}:{number}: '{target or name}' has no heading '#{anchor}'")
    return findings


def check_examples():
    """Every example is compiled, executed and verified by a test, and listed in examples/README.md."""
    tests = "".join(read(n) or "" for n in files() if n.startswith("test/") and n.endswith((".test", ".mlir")))
    listed = read("examples/README.md") or ""
    findings = []
    for name in files():
        if name.startswith("examples/") and name.endswith(".mlir"):
            if "%" + name not in tests:
                findings.append(f"{name}:1: no test uses %{name}")
            if os.path.basename(name) not in listed:
                findings.append(f"{name}:1: examples/README.md does not list it")
    return findings


# Rooms that know nothing of MLIR.
PLAIN_ROOMS = ("Layout", "Target", "Cost", "PTX", "Executor", "Launch", "Driver", "Runtime")


def check_rooms():
    """A folder of the sources includes only folders before it in lib/CMakeLists.txt."""
    listed = re.search(r"set\(NAPKIN_ROOMS(.*?)\)", read("lib/CMakeLists.txt"), re.S)
    if not listed:
        return ["lib/CMakeLists.txt:1: no list NAPKIN_ROOMS"]
    rooms = listed[1].split()

    def room_of(path):
        """Position in the list of the room that holds the path, or None; a folder above rooms is the first of them."""
        inside = [i for i, room in enumerate(rooms) if path.startswith(room + "/")]
        folder = os.path.dirname(path) + "/"
        return (inside + [i for i, room in enumerate(rooms) if room.startswith(folder)] + [None])[0]

    findings = []
    for name in files():
        path = re.match(r"(?:lib|include/napkin)/(.+)", name)
        own = room_of(path[1]) if path and name.endswith(CPP) else None
        if path and name.endswith(CPP) and own is None:
            findings.append(f"{name}:1: in no room of lib/CMakeLists.txt")
        if own is None:
            continue
        for number, line in enumerate(read(name).splitlines(), 1):
            include = re.match(r'#include [<"](napkin/(.+)|mlir/.+)[>"]', line)
            if not include:
                continue
            if not include[2]:
                if rooms[own] in PLAIN_ROOMS:
                    findings.append(f"{name}:{number}: {rooms[own]} is plain C++ and includes no MLIR")
                continue
            other = room_of(include[2])
            if other is None:
                findings.append(f"{name}:{number}: '{include[1]}' is in no room of lib/CMakeLists.txt")
            elif other > own:
                findings.append(f"{name}:{number}: {rooms[own]} includes '{include[1]}', and {rooms[other]} stands below it in lib/CMakeLists.txt")
    return findings

# Rooms below the diagram: what they refuse, users meet in their own kernels.
REFUSING_ROOMS = ("lib/Schedule/", "lib/Conversion/", "lib/Dialect/Tile/", "lib/Pipelines/")
REFUSAL = re.compile(
    r"\b(?:emit\w*Error|create\w*Error|fail|fault|refuse)\s*\(|\berror\s*(?:\(\)\s*)?<<|\b(?:refusal|advice)\s*=(?!=)"
)


def statement_from(text, start):
    """The text from `start` up to the semicolon or brace that ends the statement; those in strings do not."""
    depth, at = 0, start
    while at < len(text):
        if text[at] == '"':
            at = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at).end()
            continue
        depth += (text[at] in "({[") - (text[at] in ")}]")
        if depth < 0 or (text[at] in ";}" and depth == 0):
            break
        at += 1
    return text[start:at]


def pieces_of(statement):
    """The constant pieces of a message: literals side by side are one, places for values cut it."""
    joined = re.sub(r'"\s*"', "", statement)
    literals = re.findall(r'"((?:[^"\\]|\\.)*)"', joined)
    return [p.strip() for l in literals for p in re.split(r"\{[^}]*\}", l.replace('\\"', '"')) if len(p.strip()) >= 4]


def phrases_of(pieces):
    """All runs of four words of a message; a shorter piece whole."""
    phrases = set()
    for words in map(str.split, pieces):
        phrases |= {" ".join(words[i : i + 4]) for i in range(max(1, len(words) - 3))}
    return phrases


def check_refusals():
    """Some test expects every refusal below the diagram, by words that no other refusal says.

    A refusal that nothing can reach from outside, such as a defect of another library, says
    so in the line above it: `// Not tested: why`.
    """
    refusals, count = [], {}
    for name in files():
        if not name.startswith(REFUSING_ROOMS) or not name.endswith(CPP):
            continue
        text = read(name)
        plain = re.sub(r"//[^\n]*", lambda comment: " " * len(comment[0]), text)
        end = 0
        for match in REFUSAL.finditer(plain):
            if match.start() < end:
                continue
            statement = statement_from(plain, match.start())
            end = match.start() + len(statement)
            phrases = phrases_of(pieces_of(statement))
            above = text[: match.start()].rsplit(";", 1)[-1].rsplit("{", 1)[-1]
            if not phrases or "Not tested: " in above:
                continue
            refusals.append((name, plain.count("\n", 0, match.start()) + 1, phrases))
            for phrase in phrases:
                count[phrase] = count.get(phrase, 0) + 1
    tests = ""
    for name in files():
        if name.startswith("test/") and not name.startswith("test/Executor/"):
            text = read(name) or ""
            if name.endswith(".cpp"):
                text = re.sub(r'"\s*\n\s*"', "", text).replace('\\"', '"')
            tests += " " + " ".join(text.split())
    findings = []
    for name, line, phrases in refusals:
        own = {p for p in phrases if count[p] == 1} or phrases
        if not any(p in tests for p in own):
            findings.append(f"{name}:{line}: no test expects this refusal ('{max(own, key=len)}')")
    return findings


CHECKS = {
    "format": check_format,
    "licence": check_licence,
    "length": check_length,
    "words": check_words,
    "links": check_links,
    "rooms": check_rooms,
    "refusals": check_refusals,
    "examples": check_examples,
}


def main(arguments):
    if arguments[:1] == ["--fix"]:
        if arguments[1:] != ["format"]:
            sys.exit(__doc__)
        check_format(fix=True)
        return 0
    unknown = [a for a in arguments if a not in CHECKS]
    if unknown:
        sys.exit(f"unknown check '{unknown[0]}'; there are: {', '.join(CHECKS)}")
    found = 0
    for name in arguments or CHECKS:
        findings = CHECKS[name]()
        for finding in findings:
            print(finding)
        found += len(findings)
        print(f"{name}: {len(findings)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    help_text.answer_help(__doc__)
    sys.exit(main(sys.argv[1:]))
