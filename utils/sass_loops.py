#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Figures of a kernel that need no GPU: registers, spills, and the length of
its main loops in machine instructions per tensor-core instruction.

usage: sass_loops.py [--registers-only] [--at-most=N] ARCH FILE.ptx|FILE.cubin ...

ARCH is sm_80, sm_90a, ... With --registers-only nothing is disassembled, so
nvdisasm is not needed. With --at-most=N it is an error if the hot path of a main loop has more
than N instructions per 16x8x16 tensor-core instruction, if there is no main
loop, or if a file spills registers.

A *main loop* is an innermost loop of the control-flow graph of the machine code
(SASS) that issues tensor-core instructions. Loops are found as strongly connected
components; taking a component's entry away leaves the components of the loops
inside it, and so on inwards. Blocks placed out of line, such as the spinning part
of a wait, belong to their loop.

The *hot path* of a loop is the shortest way round it among those that issue the
most copies (LDGSTS): what a trip costs when no branch for a rare case is taken. With
it come the cycles for which shared memory serves the instructions on it, for each
tensor-core instruction, which takes 2 cycles of a multiprocessor: 128 bytes of a warp
pass in a cycle (LDSM, LDS, STS, LDGSTS by their widths, without bank conflicts).

Warpgroup instructions do the work of several: HGMMA 64xNx16 counts as N/8 of the
16x8x16 instructions of one warp in the figure 'per_16816'.

ptxas is taken from $PTXAS or PATH, nvdisasm from $NVDISASM, PATH or an installed
wheel (pip package nvidia-cuda-nvdisasm).
"""

import collections
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

import help_text

TENSOR_OPCODES = {"HMMA", "HGMMA", "QMMA", "QGMMA", "IMMA", "IGMMA", "DMMA"}
NEWEST_PTX_VERSION = 9.0  # of ptxas 13.0; a newer first line is lowered to it
HERE = os.path.dirname(os.path.abspath(__file__))


class ToolError(Exception):
    """A tool is absent or refused its input; the text says which and why."""


def find_tool(name):
    """The path of `name`, or None."""
    folders = [os.environ.get("PATH", ""), "/usr/local/cuda/bin", os.path.join(HERE, "..", "build", "cuda", "bin")]
    path = os.environ.get(name.upper()) or shutil.which(name, path=os.pathsep.join(folders))
    if path:
        return path
    for folder in sys.path:  # NVIDIA's wheels put their tools into nvidia/*/bin
        for hit in glob.glob(os.path.join(folder, "nvidia", "*", "bin", name)):
            return hit
    return None


def run_tool(name, *arguments):
    """Runs `name` and returns what it printed, both streams together."""
    path = find_tool(name)
    if not path:
        raise ToolError(f"{name}: not found (set ${name.upper()})")
    run = subprocess.run([path, *arguments], capture_output=True, text=True)
    if run.returncode:
        raise ToolError(f"{name} {' '.join(arguments)}:\n{run.stderr}{run.stdout}")
    return run.stdout + run.stderr


@dataclass
class Assembly:
    """What ptxas says of a file: the largest figure over its kernels."""

    registers: int
    spill_store_bytes: int
    spill_load_bytes: int
    static_shared_bytes: int


def assemble(arch, ptx, cubin):
    """Assembles `ptx` to `cubin` for `arch` and returns ptxas' figures."""
    with open(ptx) as file:
        text = file.read()
    version = re.search(r"^\.version\s+([\d.]+)", text, re.M)
    if version and float(version[1]) > NEWEST_PTX_VERSION:
        text = text.replace(version[0], f".version {NEWEST_PTX_VERSION}", 1)
        ptx = cubin + ".ptx"
        with open(ptx, "w") as file:
            file.write(text)
    log = run_tool("ptxas", "-v", f"-arch={arch}", ptx, "-o", cubin)

    def largest(pattern):
        return max((int(number) for number in re.findall(pattern, log)), default=0)

    return Assembly(
        registers=largest(r"Used (\d+) registers"),
        spill_store_bytes=largest(r"(\d+) bytes spill stores"),
        spill_load_bytes=largest(r"(\d+) bytes spill loads"),
        static_shared_bytes=largest(r"(\d+) bytes smem"),
    )


def is_tensor(opcode):
    return opcode.split(".")[0] in TENSOR_OPCODES


def equivalent_16816(opcodes):
    """Tensor-core instructions in units of one warp's 16x8x16."""
    count = 0
    for opcode in opcodes:
        columns = re.search(r"\.\d+x(\d+)x", opcode)
        count += int(columns[1]) // 8 if "GMMA" in opcode and columns else 1
    return count


def shared_cycles(opcode):
    """Cycles for which an instruction of a warp without bank conflicts keeps shared memory busy."""
    name, *modifiers = opcode.split(".")
    if name == "LDSM":
        return int(modifiers[-1]) if modifiers[-1].isdigit() else 1
    if name not in ("LDS", "STS", "LDGSTS"):
        return 0
    return 4 if "128" in modifiers else 2 if "64" in modifiers else 1


@dataclass
class Program:
    """One disassembled cubin: instructions in order, and who may follow whom."""

    instructions: list = field(default_factory=list)
    successors: list = field(default_factory=list)

    def opcode(self, index):
        """The full opcode, for example HMMA.16816.F32.BF16."""
        return re.sub(r"^@!?U?P\w+\s+", "", self.instructions[index]).split()[0]

    def is_tensor(self, index):
        return is_tensor(self.opcode(index))


def disassemble(cubin):
    """Reads the control-flow graph of `cubin` off nvdisasm's listing."""
    labels, program = {}, Program()
    for line in run_tool("nvdisasm", "-c", cubin).splitlines():
        label = re.match(r"^(\.L_[\w.]+|[\w$.]+):\s*$", line.strip())
        instruction = re.match(r"^\s*/\*[0-9a-f]+\*/\s+(.*?);", line)
        if label:
            labels[label[1]] = len(program.instructions)
        elif instruction:
            program.instructions.append(instruction[1].strip())
    count = len(program.instructions)
    for index, text in enumerate(program.instructions):
        following = [index + 1] if index + 1 < count else []
        name = program.opcode(index).split(".")[0]
        target = re.search(r"`\((\.L_[\w.]+)\)", text)
        if text.startswith("@!PT"):  # never executed
            successors = following
        elif name == "BRA" and target:
            # A branch falls through if it is predicated, by a register of the
            # instruction or among its operands, or if only some lanes take it.
            falls = text.startswith("@") or re.search(r"BRA\S*\s+!?U?P\d", text) or "BRA.DIV" in text
            taken = labels.get(target[1], count)
            successors = ([taken] if taken < count else []) + (following if falls else [])
        elif name in ("EXIT", "RET") and not text.startswith("@"):
            successors = []
        else:
            successors = following
        program.successors.append(successors)
    return program


def components(nodes, successors):
    """The strongly connected components of the graph on `nodes` (Tarjan's
    algorithm, with a stack of its own: loops are longer than Python's)."""
    order, low, stack, on_stack, found = {}, {}, [], set(), []
    for root in sorted(nodes):
        if root in order:
            continue
        work = [(root, iter(successors[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, edges = work[-1]
            for after in edges:
                if after not in nodes:
                    continue
                if after not in order:
                    order[after] = low[after] = len(order)
                    stack.append(after)
                    on_stack.add(after)
                    work.append((after, iter(successors[after])))
                    break
                if after in on_stack:
                    low[node] = min(low[node], order[after])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    component = set()
                    while node not in component:
                        component.add(stack.pop())
                    on_stack -= component
                    found.append(component)
    return found


@dataclass
class Loop:
    """One main loop: its length and what it is made of."""

    instructions: int
    tensor: int  # tensor-core instructions
    tensor_16816: int  # the same in units of one warp's 16x8x16
    shapes: dict  # full opcode -> count
    mix: dict  # opcode without modifiers -> count, the ten most frequent
    hot: list  # full opcodes on the hot path

    @property
    def hot_tensor(self):
        return max(1, equivalent_16816(name for name in self.hot if is_tensor(name)))

    @property
    def hot_per_16816(self):
        return len(self.hot) / self.hot_tensor

    @property
    def shared_per_16816(self):
        return sum(map(shared_cycles, self.hot)) / self.hot_tensor

    @property
    def per_tensor(self):
        return self.instructions / self.tensor

    @property
    def per_16816(self):
        return self.instructions / self.tensor_16816


def main_loops(program):
    """The innermost loops of `program` that issue tensor-core instructions."""
    predecessors = collections.defaultdict(list)
    for index, successors in enumerate(program.successors):
        for after in successors:
            predecessors[after].append(index)
    found = []

    def visit(nodes):
        for component in components(nodes, program.successors):
            if len(component) < 2 or not any(map(program.is_tensor, component)):
                continue
            entries = [n for n in sorted(component) if any(p not in component for p in predecessors[n])]
            before = len(found)
            entry = entries[0] if entries else min(component)
            visit(component - {entry})
            if len(found) == before:  # no loop inside: this one is innermost
                found.append(describe(program, component, entry))

    visit(set(range(len(program.instructions))))
    return found


def hot_path(program, component, entry):
    """The opcodes of the shortest way from `entry` round to it that issues the most
    copies."""
    best = {}  # node -> (copies missed, instructions), and who follows
    # Nodes are settled when all that follow them are; ways back do not count.
    stack, state = [entry], {}
    while stack:
        node = stack[-1]
        if "BRA.DIV" in program.instructions[node]:
            following = [node + 1]
        else:
            following = program.successors[node]
        following = [n for n in following if n in component]
        if node not in state:
            state[node] = "open"
            stack += [n for n in following if n != entry and n not in state]
            continue
        stack.pop()
        if state[node] == "settled":
            continue
        state[node] = "settled"
        ways = [((0, 0), None) if n == entry else (best[n][0], n) for n in following if n == entry or n in best]
        if ways:
            (copies, length), after = min(ways, key=lambda way: way[0])
            copies -= program.opcode(node).startswith("LDGSTS")
            best[node] = ((copies, length + 1), after)
    path, node = [], entry
    while node is not None and node in best:
        # (What ptxas fills in after a barrier is issued and does nothing.)
        path.append("NOP" if program.instructions[node].startswith("@!PT") else program.opcode(node))
        node = best[node][1]
    return path


def describe(program, component, entry):
    shapes = collections.Counter(program.opcode(i) for i in sorted(component) if program.is_tensor(i))
    equivalent = equivalent_16816(shapes.elements())
    mix = collections.Counter(program.opcode(i).split(".")[0] for i in component)
    return Loop(len(component), sum(shapes.values()), equivalent, dict(shapes), dict(mix.most_common(10)),
                hot_path(program, component, entry))


def main(arguments):
    options = [a for a in arguments if a.startswith("--")]
    arguments = [a for a in arguments if not a.startswith("--")]
    limit = next((float(o.partition("=")[2]) for o in options if re.fullmatch(r"--at-most=[\d.]+", o)), None)
    known = [o for o in options if o == "--registers-only" or re.fullmatch(r"--at-most=[\d.]+", o)]
    if len(arguments) < 2 or known != options:
        sys.exit(__doc__)
    arch, paths = arguments[0], arguments[1:]
    exceeded = 0
    for path in paths:
        print(path)
        loops = []
        with tempfile.TemporaryDirectory() as folder:
            cubin = path
            if path.endswith(".ptx"):
                cubin = os.path.join(folder, "kernel.cubin")
                figures = assemble(arch, path, cubin)
                spills = figures.spill_store_bytes + figures.spill_load_bytes
                print(f"  {figures.registers} registers, spills: {figures.spill_store_bytes} bytes stored,"
                      f" {figures.spill_load_bytes} bytes loaded")
                exceeded += limit is not None and spills > 0
            if "--registers-only" not in options:
                loops = main_loops(disassemble(cubin))
            for loop in loops:
                print(f"  main loop: {loop.instructions} instructions, {loop.tensor} tensor:"
                      f" {loop.per_tensor:.2f} each, {loop.per_16816:.2f} per 16x8x16;"
                      f" hot path {len(loop.hot)}: {loop.hot_per_16816:.2f}, shared {loop.shared_per_16816:.2f}")
                print("    " + ", ".join(f"{name} {count}" for name, count in loop.mix.items()))
        if limit is not None and (not loops or max(loop.hot_per_16816 for loop in loops) > limit):
            print(f"  no main loop, or more than {limit} instructions per 16x8x16")
            exceeded += 1
    return 1 if exceeded else 0


if __name__ == "__main__":
    help_text.answer_help(__doc__)
    try:
        sys.exit(main(sys.argv[1:]))
    except (ToolError, OSError) as error:
        sys.exit(str(error))
