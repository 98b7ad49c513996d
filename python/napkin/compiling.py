# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From the text of diagrams to kernels, reports and pictures."""

from __future__ import annotations

import html
import json
from typing import Mapping, NamedTuple, Union

from . import _native
from .running import Execution, execute

Pin = Union[None, str, Mapping[str, int]]


class Diagnostic(NamedTuple):
    """A message of the compiler with its place; line and column are 0 where there is none."""

    severity: str
    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.file else ""
        return f"{place}{self.severity}: {self.text}"


class CompileError(Exception):
    """What the compiler refused, and why. `diagnostics` has the messages one by one."""

    def __init__(self, text: str, diagnostics: list[Diagnostic]):
        super().__init__(text)
        self.diagnostics = diagnostics


def _pins(pin: Pin) -> list[tuple[str, int]]:
    if pin is None:
        return []
    return [("none", 0)] if pin == "none" else list(pin.items())


def _run(source: str, name: str, stage: str, **options) -> _native.Compilation:
    compiled = _native.Compilation(
        source,
        name=name,
        stage=stage,
        target=options.get("target") or "",
        hardware=options.get("hardware") or "",
        pin_group=_pins(options.get("pin_group")),
        pin_stream=_pins(options.get("pin_stream")),
        pin_split=_pins(options.get("pin_split")),
        pin_warps=options.get("pin_warps", 0),
        pin_stages=options.get("pin_stages", 0),
        input_bound=options.get("input_bound", 32.0),
        allow_tf32=options.get("allow_tf32", False),
    )
    if compiled.error:
        raise CompileError(compiled.error.rstrip(), [Diagnostic(*d) for d in compiled.diagnostics])
    return compiled


def draw(source: str, scheduled: bool = False, **options) -> str:
    """The picture of the diagrams in `source`, as SVG text: as they are written, or
    as they are scheduled. Options are those of compile."""
    return _run(source, "diagram", "schedule-svg" if scheduled else "svg", **options).output.decode()


def compile(
    source: str,
    *,
    target: str | None = None,
    hardware: str | None = None,
    name: str = "diagram",
    pin_group: Pin = None,
    pin_stream: Pin = None,
    pin_split: Pin = None,
    pin_warps: int = 0,
    pin_stages: int = 0,
    input_bound: float = 32.0,
    allow_tf32: bool = False,
) -> "Kernel":
    """Compiles the diagrams in `source`, the text of an .mlir file.

    target       architecture: "sm_80" (the default), "sm_86", "sm_89"
    hardware     machine whose costs count, by name or path of a .json file
    pin_group    tiles of axes that are cut over blocks: {"q": 64}
    pin_stream   chunk of the streamed axis: {"x": 64}, or "none"
    pin_split    positions of a part of the streamed axis, or "none"
    pin_warps    warps of a block; pin_stages buffers of the pipeline
    input_bound  B in abs(input) <= 2**B
    allow_tf32   round factors of f32 products to tf32, for tensor cores

    Raises CompileError with the compiler's messages."""
    options = dict(
        target=target,
        hardware=hardware,
        pin_group=pin_group,
        pin_stream=pin_stream,
        pin_split=pin_split,
        pin_warps=pin_warps,
        pin_stages=pin_stages,
        input_bound=input_bound,
        allow_tf32=allow_tf32,
    )
    return Kernel(source, _run(source, name, "ptx", **options), options)


class Verification:
    """Whether a program did what it should, and what `napkinc --verify` prints of it."""

    def __init__(self, passed: bool, text: str):
        self.passed, self.text = passed, text

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return self.text.rstrip()

    def __repr__(self) -> str:
        return f"<{'verified' if self.passed else 'NOT VERIFIED'}>\n{self}"


class Report:
    """What the kernels move, as the cost model says before anything runs.

    `data` is the whole report (docs/report.schema.json)."""

    def __init__(self, text: str):
        self.data = json.loads(text)

    @property
    def kernels(self) -> list[dict]:
        return self.data["kernels"]

    @property
    def bytes(self) -> int:
        """Bytes of global memory that all kernels read and write."""
        return sum(k["global_read_bytes"] + k["global_write_bytes"] for k in self.kernels)

    def _rows(self) -> list[tuple[str, ...]]:
        rows = [("kernel", "grid", "warps", "shared", "read", "written", "least", "unfused")]
        for kernel in self.kernels:
            numbers = (kernel["shared_bytes"], kernel["global_read_bytes"], kernel["global_write_bytes"])
            least = (kernel["compulsory_bytes"], kernel["unfused_bytes"])
            rows.append(
                (kernel["entry"], kernel["grid"], str(kernel["warps"]), *(f"{n:,}" for n in numbers + least))
            )
        return rows

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, f"{self.bytes:,} global bytes"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        cells = lambda row, tag: "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)
        body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
        return f"<table><tr>{cells(head, 'th')}</tr>{body}</table><p>{self.bytes:,} global bytes</p>"


class Kernel:
    """A compiled program: one or more kernels in one PTX text."""

    def __init__(self, source: str, compilation: _native.Compilation, options: dict):
        self.source = source
        self._compilation, self._options = compilation, options
        #: The program, for the driver or for ptxas.
        self.ptx: str = compilation.ptx
        #: What a launcher needs (docs/manifest.md).
        self.manifest: dict = json.loads(compilation.manifest)
        self.report = Report(compilation.report)

    def page(self) -> str:
        """Pictures, bytes, curves, reasons and PTX on one page of HTML that needs
        nothing else (docs/pictures.md)."""
        return _run(self.source, "diagram", "html", **self._options).output.decode()

    def verify(self, seed: int = 1, inputs: str = "normal") -> Verification:
        """Executes the program on random inputs on this CPU, under all checks, and
        compares results with double precision and moved bytes with the prediction.

        `inputs`: normal, uniform, outliers, shifted, masked or extreme."""
        verdict, text = self._compilation.verify(seed, inputs)
        if verdict == _native.NOT_RUN:
            raise _native.Refusal("\n".join(str(Diagnostic(*d)) for d in self._compilation.diagnostics))
        return Verification(verdict == _native.VERIFIED, text)

    def execute(self, *arrays, checks: bool = True, seed: int = 0, **named) -> Execution:
        """Runs the program on this CPU; see Execution for what comes of it."""
        return execute(self.ptx, self.manifest, arrays, named, checks, seed)

    def run(self, *arrays, **named):
        """Runs the program on this CPU and gives its result, a tuple if there are
        several. Inputs are numpy arrays, or what numpy can make arrays of, in the
        order of the diagram or by name; they are rounded to the diagram's types. A
        race, a wrong address or the like raises Trap."""
        results = tuple(self.execute(*arrays, **named).results.values())
        return results[0] if len(results) == 1 else results

    def svg(self, scheduled: bool = True) -> str:
        """The picture of the program, or of the diagram that it was."""
        return draw(self.source, scheduled, **self._options)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return str(self.report)
