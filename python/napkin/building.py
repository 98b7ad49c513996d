# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Diagrams written as Python functions.

A function whose parameters are annotated with array types is called once with
arrays that remember what is done with them; what comes out is the text of an
ncd.diagram whose operations carry the lines of the function, so that messages of
the compiler point there.
"""

from __future__ import annotations

import ast
import inspect
import math
import os
import re
import sys
from dataclasses import dataclass
from typing import Callable, Iterable, Sequence, Union

from .elementwise import FLOATS, INTEGERS, Formula, constant_text, convert, formula_of, scalar_of

Axes = Union[str, Sequence[str]]
_PACKAGE = os.path.dirname(os.path.abspath(__file__))


@dataclass(frozen=True)
class ArrayType:
    """Named axes, outermost first, and the type of the elements."""

    axes: tuple[tuple[str, int], ...]
    element: str
    #: Elements from one position of each axis to the next, where that is written.
    strides: tuple[Union[int, None], ...] = ()

    @staticmethod
    def parse(text: str) -> "ArrayType":
        """Reads "h=4, q=512, d=64, bf16"; no axis is a single value, "f32". "m=100:128" are
        positions that lie 128 elements apart."""
        *axes, element = [part.strip() for part in text.split(",")]
        if element not in FLOATS + INTEGERS:
            raise ValueError(f"'{text}': '{element}' is no element type; there are {', '.join(FLOATS + INTEGERS)}")
        sizes, strides = [], []
        for axis in axes:
            match = re.fullmatch(r"([A-Za-z_]\w*)\s*=\s*(\d+)(?:\s*:\s*(\d+))?", axis)
            if not match:
                raise ValueError(f"'{text}': '{axis}' is no axis; write name=size, as in q=512")
            sizes.append((match[1], int(match[2])))
            strides.append(int(match[3]) if match[3] else None)
        return ArrayType(tuple(sizes), element, tuple(strides) if any(s is not None for s in strides) else ())

    def __str__(self) -> str:
        apart = ["" if stride is None else f":{stride}" for stride in self.strides or (None,) * len(self.axes)]
        axes = "".join(f"{name}={size}{stride}, " for (name, size), stride in zip(self.axes, apart))
        return "!ncd.array<" + axes + self.element + ">"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.axes)


def axis_list(over: Axes) -> list[str]:
    """The axes in "x", "x y", "x, y" or a list."""
    return over.replace(",", " ").split() if isinstance(over, str) else list(over)


class Array(Formula):
    """An array of a diagram. In arithmetic it stands for its element."""

    def __init__(self, tracer: "Tracer", type: ArrayType, name: str):
        super().__init__(scalar_of(type.element), "array", attribute=self)
        self.tracer, self.type, self.name = tracer, type, name

    def as_formula(self) -> Formula:
        wide = Formula(self.type.element, "element", attribute=self)
        return widened(wide, self.type.element)

    def _array(self) -> "Array":
        return self

    def sum(self, over: Axes, dtype: str | None = None) -> "Array":
        """The sum over axes, in f32 unless `dtype` says otherwise."""
        return reduce(self, "sum", over, dtype)

    def max(self, over: Axes, dtype: str | None = None) -> "Array":
        """The largest element over axes."""
        return reduce(self, "max", over, dtype)

    def min(self, over: Axes, dtype: str | None = None) -> "Array":
        """The smallest element over axes."""
        return reduce(self, "min", over, dtype)

    def split(self, axis: str, **into: int) -> "Array":
        """One axis as several: x.split("e", h=4, d=64), the last one changing fastest."""
        replaced = tuple(into.items())
        size = self._size(axis)
        if math.prod(into.values()) != size:
            parts = " x ".join(f"{name}={part}" for name, part in replaced)
            raise ValueError(f"axis {axis}={size} is not {parts}; the sizes of the parts multiply to that of the whole")
        return self._seen(f'split {self.name} "{axis}" into [{", ".join(into)}]', {axis: replaced})

    def join(self, axes: Axes, into: str) -> "Array":
        """Several axes as one, which stands where the first of them did: x.join("h d", into="e")."""
        names = axis_list(axes)
        size = math.prod(self._size(name) for name in names)
        changes = {name: () for name in names[1:]}
        changes[names[0]] = ((into, size),)
        return self._seen(f'join {self.name} [{", ".join(names)}] into "{into}"', changes)

    def rename(self, **names: str) -> "Array":
        """The same elements along axes of other names: x.rename(q="x")."""
        changes = {old: ((new, self._size(old)),) for old, new in names.items()}
        lists = f'[{", ".join(names)}] into [{", ".join(names.values())}]'
        return self._seen(f"rename {self.name} {lists}", changes)

    def slice(self, axis: str, start: int, size: int | None = None, into: str | None = None, step: int = 1) -> "Array":
        """Positions start, start + step, ... of an axis, `size` of them along the axis `into`.
        Without `into` one position, and the axis is gone."""
        self._size(axis)
        if (size is None) != (into is None):
            raise ValueError("a slice of several positions has a size and a name of its own, as in size=64, into='v'")
        text = f'slice {self.name} "{axis}" from {start}'
        text += f" by {step}" if step != 1 else ""
        text += f' into "{into}"' if into else ""
        return self._seen(text, {axis: ((into, size),) if into else ()})

    def _size(self, axis: str) -> int:
        if axis not in self.type.names:
            raise ValueError(f"{self.type} has no axis '{axis}'")
        return dict(self.type.axes)[axis]

    def _seen(self, text: str, changes: dict) -> "Array":
        axes = [pair for axis in self.type.axes for pair in changes.get(axis[0], (axis,))]
        type = ArrayType(tuple(axes), self.type.element)
        return self.tracer.emit(f"ncd.{text} : {self.type} -> {type}", type)

    def __repr__(self) -> str:
        return f"{self.name}: {self.type}"


def widened(value: Formula, element: str) -> Formula:
    """An element in the type in which it is computed with."""
    kind = scalar_of(element)
    if kind == element:
        return Formula(kind, "element", attribute=value.attribute)
    return Formula(kind, "arith.extf" if kind[0] == "f" else "arith.extsi", [value])


def rounded(value: Formula, element: str) -> Formula:
    """A scalar as an element of an array."""
    value = convert(value, scalar_of(element))
    if value.kind == element:
        return value
    return Formula(element, "arith.truncf" if element in FLOATS else "arith.trunci", [value])


class Tracer:
    """The text of one diagram, as it grows."""

    def __init__(self, name: str):
        self.name = name
        self.lines: list[str] = []
        self.sizes: dict[str, int] = {}
        self.count = 0

    def learn(self, type: ArrayType) -> None:
        for axis, size in type.axes:
            if self.sizes.setdefault(axis, size) != size:
                raise ValueError(
                    f"axis '{axis}' has {size} positions in {type} and {self.sizes[axis]} elsewhere: two axes need two names"
                )

    def emit(self, text: str, type: ArrayType) -> Array:
        """Adds an operation with one result."""
        return self.emit_all(text, type)[0]

    def emit_all(self, text: str, *types: ArrayType) -> tuple[Array, ...]:
        """Adds an operation with a result of each of `types`."""
        for type in types:
            self.learn(type)
        name = f"%{self.count}"
        self.count += 1
        several = len(types) > 1
        count = f":{len(types)}" if several else ""
        self.lines.append(f"  {name}{count} = {text} {self.location()}")
        return tuple(Array(self, type, f"{name}#{i}" if several else name) for i, type in enumerate(types))

    def location(self) -> str:
        """The line outside of this package that is being run."""
        frame = sys._getframe(1)
        while frame and os.path.dirname(os.path.abspath(frame.f_code.co_filename)) == _PACKAGE:
            frame = frame.f_back
        if not frame:
            return ""
        file = frame.f_code.co_filename.replace("\\", "\\\\").replace('"', '\\"')
        return f'loc("{file}":{frame.f_lineno}:1)'

    def type_with(self, names: Iterable[str], element: str) -> ArrayType:
        """An array of axes whose sizes are known."""
        unknown = [name for name in names if name not in self.sizes]
        if unknown:
            raise ValueError(f"no array of '{self.name}' has the axis '{unknown[0]}'")
        return ArrayType(tuple((name, self.sizes[name]) for name in names), element)


def leaves(formula: Formula) -> tuple[list[Array], list[str]]:
    """The arrays that a formula reads, and the axes whose positions it asks for."""
    arrays: dict[str, Array] = {}
    axes: dict[str, None] = {}
    seen: set[int] = set()

    def visit(node: Formula) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        if node.operation == "element":
            arrays.setdefault(node.attribute.name, node.attribute)
        if node.operation == "index":
            axes[node.attribute] = None
        for operand in node.operands:
            visit(operand)

    visit(formula)
    return list(arrays.values()), list(axes)


class Body:
    """The region of a map, line by line."""

    def __init__(self, arrays: Sequence[Array]):
        self.elements = {array.name: f"%e{number}" for number, array in enumerate(arrays)}
        self.lines: list[str] = []
        self.names: dict[int, str] = {}

    def name_of(self, node: Formula) -> str:
        if node.operation == "element":
            return self.elements[node.attribute.name]
        if id(node) not in self.names:
            operands = [self.name_of(operand) for operand in node.operands]
            name = f"%v{len(self.lines)}"
            self.lines.append(f"    {name} = {self.operation(node, operands)}")
            self.names[id(node)] = name
        return self.names[id(node)]

    def operation(self, node: Formula, operands: Sequence[str]) -> str:
        if node.operation == "constant":
            text = constant_text(node.attribute, node.kind)
            return f"arith.constant {text}" + ("" if node.kind == "i1" else f" : {node.kind}")
        if node.operation == "index":
            return f'ncd.index "{node.attribute}" : index'
        listed = ", ".join(operands)
        given = node.operands[0].kind
        if node.operation in ("arith.cmpf", "arith.cmpi"):
            return f"{node.operation} {node.attribute}, {listed} : {given}"
        if node.operation == "arith.select" or given == node.kind:
            return f"{node.operation} {listed} : {node.kind}"
        return f"{node.operation} {listed} : {given} to {node.kind}"


def materialize(value: Formula, element: str | None = None) -> Array:
    """The array of a formula: one ncd.map. An array stays what it is."""
    if isinstance(value, Array) and element in (None, value.type.element):
        return value
    formula = value.as_formula()
    element = element or ("i64" if formula.kind == "index" else formula.kind)
    formula = rounded(formula, element)
    arrays, asked = leaves(formula)
    if not arrays:
        raise ValueError("a formula without arrays has no size: give it to napkin.where or add an array to it")
    tracer = arrays[0].tracer
    names: dict[str, None] = {}
    for array in sorted(arrays, key=lambda a: -len(a.type.axes)):
        names.update(dict.fromkeys(array.type.names))
    names.update(dict.fromkeys(asked))
    type = tracer.type_with(names, element)
    body = Body(arrays)
    result = body.name_of(formula)
    arguments = ", ".join(f"{body.elements[a.name]}: {a.type.element}" for a in arrays)
    text = [f"ncd.map {', '.join(a.name for a in arrays)} {{", f"  ^bb0({arguments}):", *body.lines]
    text += [f"    ncd.yield {result} : {element}", f"  }} : {', '.join(str(a.type) for a in arrays)} -> {type}"]
    return tracer.emit("\n".join(text), type)


def index(axis: str) -> Formula:
    """The position of an element along an axis, counted from 0."""
    return Formula("index", "index", attribute=axis)


def map(body: Callable[..., Formula], *arrays: Formula, dtype: str | None = None) -> Array:
    """The array of body(elements...), for those who prefer to write a lambda."""
    return materialize(formula_of(body(*arrays)), dtype)


def reduce(value: Formula, monoid: str, over: Axes, dtype: str | None = None) -> Array:
    """Combines elements over axes by sum, prod, max, min, and, or."""
    array = value._array()
    axes = axis_list(over)
    missing = [axis for axis in axes if axis not in array.type.names]
    if missing:
        raise ValueError(f"{array.type} has no axis '{missing[0]}' to reduce over")
    rest = tuple((name, size) for name, size in array.type.axes if name not in axes)
    type = ArrayType(rest, dtype or scalar_of(array.type.element))
    return array.tracer.emit(f"ncd.reduce {monoid} {array.name} over [{', '.join(axes)}] : {array.type} -> {type}", type)


def contract(*factors: Formula, over: Axes, dtype: str | None = None, order: Sequence[str] | None = None) -> Array:
    """The sum, over axes, of the product of all factors; every other axis stays.

    Sums accumulate in f32 (f64, i32) whatever `dtype` they are rounded to. `order`
    names the axes of the result, outermost first."""
    arrays = [factor._array() for factor in factors]
    elements = sorted({array.type.element for array in arrays})
    if len(elements) > 1:
        raise ValueError(f"factors have the element types {' and '.join(elements)}: round one of them with .astype")
    axes = axis_list(over)
    names: dict[str, None] = {}
    for array in arrays:
        names.update((name, None) for name in array.type.names if name not in axes)
    tracer = arrays[0].tracer
    type = tracer.type_with(order or names, dtype or scalar_of(elements[0]))
    types = ", ".join(str(array.type) for array in arrays)
    operands = ", ".join(array.name for array in arrays)
    return tracer.emit(f"ncd.contract {operands} over [{', '.join(axes)}] : {types} -> {type}", type)


def concat(*arrays: Formula, axes: Axes, into: str) -> Array:
    """Arrays one behind the other along a new axis; `axes` names the axis of each:
    napkin.concat(a, b, axes="p p", into="d")."""
    parts = [array._array() for array in arrays]
    names = axis_list(axes)
    if not parts or len(parts) != len(names):
        raise ValueError(f"{len(parts)} arrays and {len(names)} axes; name one axis of each array")
    total = sum(part._size(name) for part, name in zip(parts, names))
    first = parts[0].type
    made = tuple((into, total) if name == names[0] else (name, size) for name, size in first.axes)
    type = ArrayType(made, first.element)
    listed, types = ", ".join(part.name for part in parts), ", ".join(str(part.type) for part in parts)
    return parts[0].tracer.emit(f'ncd.concat {listed} [{", ".join(names)}] into "{into}" : {types} -> {type}', type)


def einsum(equation: str, *factors: Formula, dtype: str | None = None) -> Array:
    """A contract in einsum's notation, with whole names: "h q d, h x d -> h q x".

    The names must be those of the arrays; their order in an array does not matter,
    since axes are known by name."""
    left, arrow, right = equation.partition("->")
    terms = [term.split() for term in left.split(",")]
    if not arrow or len(terms) != len(factors):
        raise ValueError(f"'{equation}': write one group of axes per array and the result behind ->")
    arrays = [factor._array() for factor in factors]
    for term, array in zip(terms, arrays):
        if sorted(term) != sorted(array.type.names):
            raise ValueError(f"'{equation}': '{' '.join(term)}' are not the axes of {array.type}")
    result = right.split()
    summed = [axis for axis in dict.fromkeys(sum(terms, [])) if axis not in result]
    alone = [axis for axis in summed if sum(axis in term for term in terms) == 1]
    if alone and len(arrays) > 1:
        raise ValueError(f"'{equation}': only one factor has '{alone[0]}'; sum over it first")
    if len(arrays) == 1:
        return reduce(arrays[0], "sum", summed, dtype)
    return contract(*arrays, over=summed, dtype=dtype, order=result)


def _composed(name: str, value: Formula, over: Axes, keeps: bool, dtype: str | None, extra: str = "") -> Array:
    array = value._array()
    axes = axis_list(over)
    missing = [axis for axis in axes if axis not in array.type.names]
    if missing:
        raise ValueError(f"{array.type} has no axis '{missing[0]}'")
    kept = array.type.axes if keeps else tuple(a for a in array.type.axes if a[0] not in axes)
    type = ArrayType(kept, dtype or array.type.element)
    return array.tracer.emit(f"ncd.{name} {array.name} over [{', '.join(axes)}]{extra} : {array.type} -> {type}", type)


def softmax(value: Formula, over: Axes, dtype: str | None = None) -> Array:
    """Exponentials by their sum along axes; a row of -inf is 0."""
    return _composed("softmax", value, over, True, dtype)


def logsumexp(value: Formula, over: Axes, dtype: str | None = None) -> Array:
    """The logarithm of the sum of exponentials along axes."""
    return _composed("logsumexp", value, over, False, dtype)


def topk(value: Formula, over: str, into: str, count: int, dtype: str | None = None) -> tuple[Array, Array]:
    """The `count` largest elements along an axis, the largest first, and their
    positions, along the new axis `into`. Of equal elements the first counts; a NaN
    counts as -inf."""
    array = value._array()
    if over not in array.type.names:
        raise ValueError(f"{array.type} has no axis '{over}'")
    kept = tuple(axis for axis in array.type.axes if axis[0] != over) + ((into, count),)
    values, indices = ArrayType(kept, dtype or array.type.element), ArrayType(kept, "i32")
    text = f'ncd.topk {array.name} over [{over}] into "{into}" : {array.type} -> {values}, {indices}'
    return array.tracer.emit_all(text, values, indices)


def _optional(word: str, value: Formula | None) -> str:
    if value is None:
        return ""
    array = value._array()
    return f" {word}({array.name} : {array.type})"


def rms_norm(value: Formula, over: Axes, eps: float = 1e-6, gain: Formula | None = None, dtype: str | None = None) -> Array:
    """Each element by the root of the mean square along axes."""
    extra = f" eps {constant_text(eps, 'f64')}" + _optional("gain", gain)
    return _composed("rms_norm", value, over, True, dtype, extra)


def layer_norm(
    value: Formula,
    over: Axes,
    eps: float = 1e-5,
    gain: Formula | None = None,
    bias: Formula | None = None,
    dtype: str | None = None,
) -> Array:
    """Each element less the mean, by the deviation along axes."""
    extra = f" eps {constant_text(eps, 'f64')}" + _optional("gain", gain) + _optional("bias", bias)
    return _composed("layer_norm", value, over, True, dtype, extra)


class Diagram:
    """A diagram as text, ready to compile. Shows itself as its picture in a notebook."""

    def __init__(self, name: str, text: str):
        self.name, self.text = name, text

    def compile(self, **options):
        """Compiles the diagram; options are those of napkin.compile."""
        from .compiling import compile

        return compile(self.text, name=self.name, **options)

    def svg(self) -> str:
        """The picture of the diagram."""
        from .compiling import draw

        return draw(self.text)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return re.sub(r' loc\(".*?":\d+:\d+\)', "", self.text)


def trace(function: Callable, *types: Union[str, ArrayType], **named: Union[str, ArrayType]) -> Diagram:
    """The diagram of a function, with the types of its parameters given here:

    napkin.trace(lambda x: napkin.softmax(x, "k"), "n=64, k=1000, f32")
    """
    bound = inspect.signature(function).bind(*types, **named)
    name = function.__name__ if function.__name__.isidentifier() else "diagram"
    tracer = Tracer(name)
    arguments = []
    for parameter, type in bound.arguments.items():
        parsed = type if isinstance(type, ArrayType) else ArrayType.parse(type)
        tracer.learn(parsed)
        arguments.append(Array(tracer, parsed, f"%{parameter}"))
    outcome = function(*arguments)
    results = [materialize(value) for value in (outcome if isinstance(outcome, tuple) else (outcome,))]
    types_text = ", ".join(str(result.type) for result in results)
    signature = ", ".join(f"{a.name}: {a.type}" for a in arguments)
    arrow = f"({types_text})" if len(results) != 1 else types_text
    lines = [f"ncd.diagram @{name}({signature}) -> {arrow} {{", *tracer.lines]
    lines += [f"  ncd.return {', '.join(r.name for r in results)} : {types_text}", "}", ""]
    return Diagram(name, "\n".join(lines))


def diagram(function: Callable) -> Diagram:
    """Decorator: the diagram of a function whose parameters are annotated with
    array types, "h=4, q=512, d=64, bf16" each."""
    types = {}
    for name, parameter in inspect.signature(function).parameters.items():
        type = parameter.annotation
        if type is inspect.Parameter.empty:
            raise TypeError(f"parameter '{name}' of '{function.__name__}' has no array type, as in {name}: \"n=64, k=128, f32\"")
        if isinstance(type, str) and type[:1] in "'\"":  # annotations kept as text
            type = ast.literal_eval(type)
        types[name] = type
    return trace(function, **types)
