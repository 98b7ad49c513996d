# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Diagrams that no one has written: compiled, executed and judged.

usage: random_diagrams.py NAPKINC FOLDER FIRST LAST
       random_diagrams.py NAPKINC FOLDER today COUNT
       random_diagrams.py NAPKINC FOLDER views:FIRST LAST

For each seed in [FIRST, LAST), or COUNT seeds of the day, a small random diagram is
written to FOLDER and given to `napkinc --verify`, for a target and with inputs that
follow from the seed. It has to be verified, be refused with a message that names a
place, or overflow everywhere, in the reference too. A crash, a wrong value, a wrong
count of bytes or a message that calls itself an internal error ends the run with
status 1; its command is printed. With `views:`, axes are seen in other ways too, and
arguments lie with strides.
"""

import datetime
import os
import random
import re
import subprocess
import sys

SIZES = [1, 2, 3, 7, 16, 17, 32, 33, 48, 64, 65, 100, 128, 130]
SMALL_SIZES = [1, 2, 3, 5, 8, 16, 17, 20]
ELEMENTS = ["bf16", "bf16", "bf16", "f16", "f32", "f32", "tf32", "f8E4M3FN", "f8E5M2", "f64", "i1", "i8", "i32", "i64"]
# What products of other elements than floats of at most 32 bits are summed in.
SUMS = {"f64": "f64", "i8": "i32", "i32": "i32", "i64": "i64"}


INPUTS = ["normal", "normal", "uniform", "outliers", "shifted", "masked", "extreme"]
TARGETS = ["sm_80", "sm_80", "sm_86", "sm_89"]

# Functions of an f32 %u, written over %c, %s ... and giving %v.
FUNCTIONS = {
    "exp": "%v = math.exp %u : f32",
    "decay": "%s = math.absf %u : f32\n%n = arith.negf %s : f32\n%v = math.exp %n : f32",
    "exp2": "%v = math.exp2 %u : f32",
    "expm1": "%v = math.expm1 %u : f32",
    "log1p": "%s = math.absf %u : f32\n%v = math.log1p %s : f32",
    "log": "%s = math.absf %u : f32\n%v = math.log %s : f32",
    "sqrt": "%s = math.absf %u : f32\n%v = math.sqrt %s : f32",
    "rsqrt": """%c = arith.constant 0.5 : f32
%s = math.fma %u, %u, %c : f32
%v = math.rsqrt %s : f32""",
    "tanh": "%v = math.tanh %u : f32",
    "cap": """%c = arith.constant 20.0 : f32
%s = arith.divf %u, %c : f32
%t = math.tanh %s : f32
%v = arith.mulf %t, %c : f32""",
    "sigmoid": """%c = arith.constant 1.0 : f32
%n = arith.negf %u : f32
%e = math.exp %n : f32
%d = arith.addf %e, %c : f32
%v = arith.divf %c, %d : f32""",
    "sin": "%v = math.sin %u : f32",
    "cos": "%v = math.cos %u : f32",
    "erf": "%v = math.erf %u : f32",
    "atan": "%v = math.atan %u : f32",
    "asinh": "%v = math.asinh %u : f32",
    "cbrt": "%v = math.cbrt %u : f32",
    "square": "%v = arith.mulf %u, %u : f32",
    "third": "%c = arith.constant 3.0 : f32\n%v = arith.divf %u, %c : f32",
    "floor": "%v = math.floor %u : f32",
}


class Diagram:
    """A diagram under construction; a value is (name, axes, element type)."""

    def __init__(self, rng):
        self.rng = rng
        self.sizes = {name: rng.choice(SIZES) for name in "abcde"}
        if rng.random() < 0.4:  # room for arrays of four axes
            self.sizes = {name: rng.choice(SMALL_SIZES) for name in "abcde"}
        most = 4 if max(self.sizes.values()) <= max(SMALL_SIZES) else 3
        self.most = most
        self.lines = []
        self.arguments = [
            (f"%i{i}", rng.sample("abcde", rng.randint(1, most)), rng.choice(ELEMENTS))
            for i in range(rng.randint(1, 3))
        ]
        self.values = list(self.arguments)
        self.laid = {}  # types of arguments that lie with strides

    def type(self, value):
        return "!ncd.array<" + ", ".join([f"{a}={self.sizes[a]}" for a in value[1]] + [value[2]]) + ">"

    def types(self, values):
        return ", ".join(self.laid.get(value[0]) or self.type(value) for value in values)

    def name(self):
        return f"%v{len(self.values)}"

    def add(self, axes, element, text, operands):
        result = (self.name(), axes, element)
        self.lines.append(f"  {result[0]} = {text} : {self.types(operands)} -> {self.type(result)}")
        self.values.append(result)

    def map(self):
        rng = self.rng
        inputs = rng.sample(self.values, rng.randint(1, min(3, len(self.values))))
        axes = list(dict.fromkeys(axis for value in inputs for axis in value[1]))
        if len(axes) > self.most:
            return
        if rng.random() < 0.2:
            rng.shuffle(axes)
        body = ["^bb0(" + ", ".join(f"%e{i}: {v[2]}" for i, v in enumerate(inputs)) + "):"]
        scalars = []
        for i, value in enumerate(inputs):
            scalars.append(f"%e{i}")
            if value[2] == "i1":
                body.append(f"%w{i} = arith.uitofp %e{i} : i1 to f32")
            elif value[2] in ("i32", "i64"):
                # As many bits as an f32 holds: the reference keeps them all.
                body.append(f"%m{i} = arith.constant 1023 : {value[2]}")
                body.append(f"%a{i} = arith.andi %e{i}, %m{i} : {value[2]}")
                body.append(f"%w{i} = arith.sitofp %a{i} : {value[2]} to f32")
            elif value[2] == "f64":
                body.append(f"%w{i} = arith.truncf %e{i} : f64 to f32")
            elif value[2] == "i8":
                body.append(f"%w{i} = arith.sitofp %e{i} : i8 to f32")
            elif value[2] != "f32":
                body.append(f"%w{i} = arith.extf %e{i} : {value[2]} to f32")
            if value[2] != "f32":
                scalars[-1] = f"%w{i}"
        last = scalars[0]

        def step(text):
            nonlocal last
            name = f"%t{len(body)}"
            body.append(f"{name} = {text}")
            last = name

        for scalar in scalars[1:]:
            step(f"arith.{rng.choice(['addf', 'mulf', 'subf', 'maximumf'])} {last}, {scalar} : f32")
        kind = rng.random()
        if kind < 0.2:
            step(f"math.absf {last} : f32")
        elif kind < 0.4:
            body.append("%eighth = arith.constant 0.125 : f32")
            step(f"arith.mulf {last}, %eighth : f32")
        elif kind < 0.55 and axes:
            body.append(f'%position = ncd.index "{rng.choice(axes)}" : index')
            body.append("%five = arith.constant 5 : index")
            body.append(f"%far = arith.cmpi {rng.choice(['sge', 'slt'])}, %position, %five : index")
            body.append(f"%hidden = arith.constant {rng.choice(['0.0', '-1.0e30', '0xFF800000'])} : f32")
            step(f"arith.select %far, {last}, %hidden : f32")
        if rng.random() < 0.4:
            name = rng.choice(sorted(FUNCTIONS))
            for line in FUNCTIONS[name].splitlines():
                body.append(re.sub(r"%([a-z])\b", rf"%{name}_\1", line).replace(f"%{name}_u", last))
            last = f"%{name}_v"
        element = rng.choice(["f32", "f32", "bf16", "f16"])
        if element != "f32":
            step(f"arith.truncf {last} : f32 to {element}")
        body.append(f"ncd.yield {last} : {element}")
        names = ", ".join(v[0] for v in inputs)
        text = f"ncd.map {names} {{\n    " + "\n    ".join(body) + "\n  }"
        self.add(axes, element, text, inputs)

    def fold(self):
        value = self.rng.choice(self.values)
        if not value[1]:
            return
        kinds = ["reduce sum", "reduce max", "reduce min", "softmax", "logsumexp"]
        if value[2] == "i1":
            kinds = ["reduce and", "reduce or"]
        elif value[2].startswith("i"):
            kinds = ["reduce max", "reduce min"]
        elif value[2] not in ("f32", "bf16", "f16"):
            return  # what others fold is widened by a map first
        kind = self.rng.choice(kinds)
        over = self.rng.sample(value[1], self.rng.randint(1, len(value[1])))
        axes = value[1] if kind == "softmax" else [a for a in value[1] if a not in over]
        self.add(axes, value[2], f"ncd.{kind} {value[0]} over [{', '.join(over)}]", [value])

    def contract(self):
        pairs = [
            (a, b)
            for a in self.values
            for b in self.values
            if a is not b and a[2] == b[2] != "i1" and set(a[1]) & set(b[1])
        ]
        if not pairs:
            return
        factors = list(self.rng.choice(pairs))
        others = [c for c in self.values if c not in factors and c[2] == factors[0][2]]
        if others and self.rng.random() < 0.5:
            factors.append(self.rng.choice(others))
        every = [axis for factor in factors for axis in factor[1]]
        shared = [axis for axis in dict.fromkeys(every) if every.count(axis) > 1]
        over = self.rng.sample(shared, self.rng.randint(1, len(shared)))
        axes = [axis for axis in dict.fromkeys(every) if axis not in over]
        if len(axes) <= self.most:
            element = SUMS.get(factors[0][2]) or self.rng.choice(["f32", "bf16"])
            names = ", ".join(factor[0] for factor in factors)
            self.add(axes, element, f"ncd.contract {names} over [{', '.join(over)}]", factors)

    def fresh(self, size):
        """A new axis."""
        axis = f"n{len(self.sizes)}"
        self.sizes[axis] = size
        return axis

    def lay(self, value):
        """The type of an argument that lies with strides, now and then."""
        type = self.type(value)
        if self.rng.random() < 0.5:
            return type
        reach, strides = 1, {}
        for axis in self.rng.sample(value[1], len(value[1])):
            strides[axis] = 0 if self.rng.random() < 0.05 else reach + self.rng.choice([0, 0, 1, 3, 8])
            reach = max(1, strides[axis]) * self.sizes[axis] if strides[axis] else reach
        axes = [f"{a}={self.sizes[a]}:{strides[a]}" for a in value[1]]
        self.laid[value[0]] = "!ncd.array<" + ", ".join(axes + [value[2]]) + ">"
        return self.laid[value[0]]

    def see(self):
        """One of the operations that see axes in another way."""
        rng = self.rng
        value = rng.choice(self.values)
        name, axes, element = value
        if not axes:
            return
        axis = rng.choice(axes)
        size = self.sizes[axis]
        kind = rng.choice(["split", "join", "rename", "slice", "slice", "concat"])
        result = None
        if kind == "split":
            parts = rng.choice([p for p in range(1, size + 1) if size % p == 0])
            into = [self.fresh(parts), self.fresh(size // parts)]
            result = [a for old in axes for a in (into if old == axis else [old])]
            text = f'split {name} "{axis}" into [{", ".join(into)}]'
        elif kind == "join" and len(axes) > 1:
            joined = rng.sample(axes, rng.randint(2, len(axes)))
            size = 1
            for each in joined:
                size *= self.sizes[each]
            into = self.fresh(size)
            result = [into if a == joined[0] else a for a in axes if a == joined[0] or a not in joined]
            text = f'join {name} [{", ".join(joined)}] into "{into}"'
        elif kind == "rename":
            into = self.fresh(size)
            result = [into if a == axis else a for a in axes]
            text = f"rename {name} [{axis}] into [{into}]"
        elif kind == "slice":
            by = rng.choice([1, 1, 2, -1, -2])
            count = rng.randint(1, (size + abs(by) - 1) // abs(by))
            lowest = rng.randint(0, size - 1 - (count - 1) * abs(by))
            first = lowest if by > 0 else lowest + (count - 1) * -by
            step = f" by {by}" if by != 1 else ""
            if count == 1 and rng.random() < 0.5:
                result = [a for a in axes if a != axis]
                text = f'slice {name} "{axis}" from {first}'
            else:
                into = self.fresh(count)
                result = [into if a == axis else a for a in axes]
                text = f'slice {name} "{axis}" from {first}{step} into "{into}"'
        elif kind == "concat":
            others = [v for v in self.values if sorted(v[1]) == sorted(axes) and v[2] == element]
            both = [value, rng.choice(others)]
            into = self.fresh(2 * size)
            result = [into if a == axis else a for a in axes]
            text = f'concat {both[0][0]}, {both[1][0]} [{axis}, {axis}] into "{into}"'
            self.add(result, element, "ncd." + text, both)
            return
        if result is None or len(result) > self.most:
            return
        if rng.random() < 0.3:
            rng.shuffle(result)
        self.add(result, element, "ncd." + text, [value])

    def text(self):
        made = self.values[len(self.arguments) :] or self.values
        results = [made[-1]]
        if len(made) > 1 and self.rng.random() < 0.3:
            results.append(made[0])
        arguments = ", ".join(f"{v[0]}: {self.laid.get(v[0]) or self.type(v)}" for v in self.arguments)
        names = ", ".join(v[0] for v in results)
        head = f"ncd.diagram @random({arguments}) -> ({self.types(results)}) {{"
        return "\n".join([head, *self.lines, f"  ncd.return {names} : {self.types(results)}", "}\n"])


def main(napkinc, folder, first, last):
    counts = {"verified": 0, "refused": 0, "overflown": 0, "wrong": 0}
    views = first.startswith("views:")
    first = first.removeprefix("views:")
    seeds = range(int(first), int(last)) if first != "today" else range(int(last))
    day = datetime.date.today().toordinal() * 1000 if first == "today" else 0
    for seed in (day + seed for seed in seeds):
        rng = random.Random(seed)
        diagram = Diagram(rng)
        kinds = [diagram.map, diagram.map, diagram.fold, diagram.fold, diagram.contract]
        if views:
            for value in diagram.arguments:
                diagram.lay(value)
            kinds += [diagram.see] * 4
        for _ in range(rng.randint(1, 8 if views else 5)):
            rng.choice(kinds)()
        path = os.path.join(folder, f"{seed}.mlir")
        with open(path, "w") as file:
            file.write(diagram.text())
        command = [napkinc, path, "--verify", f"--seed={seed % 10 + 1}"]
        command += [f"--inputs={rng.choice(INPUTS)}", f"--target={rng.choice(TARGETS)}"]
        run = subprocess.run(command, capture_output=True, text=True)
        outcome = "verified" if run.returncode == 0 else "wrong"
        stopped = any(text in run.stderr for text in ("execution of the PTX", "PTX cannot be", "internal error"))
        if run.returncode == 1 and f"{seed}.mlir:" in run.stderr and not stopped:
            outcome = "refused"
        # Right, but with nothing to judge: results that are nowhere finite, in the reference too.
        unjudged = "NOTHING IS VERIFIED" in run.stdout and not stopped
        if run.returncode == 2 and unjudged and "DIFFERENT" not in run.stdout and "TOO LARGE" not in run.stdout:
            outcome = "overflown"
        counts[outcome] += 1
        if outcome == "wrong":
            print(f"{' '.join(command)}: status {run.returncode}\n{run.stdout}{run.stderr[:2000]}")
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 5 else __doc__)
