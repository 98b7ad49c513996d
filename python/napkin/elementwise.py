# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Formulas of elements: what arithmetic on arrays makes.

An array in arithmetic stands for its element at one position, as in the body of
ncd.map. Nothing is emitted until something other than arithmetic reads the
formula, so that `exp(s * 0.125 - m)` becomes one map. Floats of fewer bits are
widened to f32 (f64 stays), i8 to i32; rounding back is written, `.astype("bf16")`.
"""

from __future__ import annotations

import math
from typing import Sequence, Union

Number = Union[int, float, bool]
FLOATS = ("f64", "f32", "tf32", "bf16", "f16", "f8E4M3FN", "f8E5M2")
INTEGERS = ("i64", "i32", "i8", "i1")


def scalar_of(element: str) -> str:
    """The type in which elements of a type are computed with."""
    if element in FLOATS:
        return "f64" if element == "f64" else "f32"
    return "i32" if element == "i8" else element


def wider(first: str, second: str) -> str:
    """The type in which two scalars meet."""
    order = ["i1", "index", "i32", "i64", "f32", "f64"]
    return max(first, second, key=order.index)


class Formula:
    """A formula of elements, of scalar type `kind`: f64, f32, i64, i32, i1 or index."""

    # Elements of numpy arrays are not what is meant.
    __array_ufunc__ = None

    def __init__(self, kind: str, operation: str, operands: Sequence["Formula"] = (), attribute: object = None):
        self.kind = kind
        self.operation = operation
        self.operands = tuple(operands)
        self.attribute = attribute

    def as_formula(self) -> "Formula":
        return self

    # Arithmetic.
    def __add__(self, other):
        return arithmetic("add", self, other)

    def __radd__(self, other):
        return arithmetic("add", other, self)

    def __sub__(self, other):
        return arithmetic("sub", self, other)

    def __rsub__(self, other):
        return arithmetic("sub", other, self)

    def __mul__(self, other):
        return arithmetic("mul", self, other)

    def __rmul__(self, other):
        return arithmetic("mul", other, self)

    def __truediv__(self, other):
        return arithmetic("div", floating(self), floating(other))

    def __rtruediv__(self, other):
        return arithmetic("div", floating(other), floating(self))

    def __neg__(self):
        formula = self.as_formula()
        if formula.kind in ("f32", "f64"):
            return Formula(formula.kind, "arith.negf", [formula])
        return 0 - formula

    def __pow__(self, exponent):
        if exponent == 2:
            return self * self
        raise TypeError("only squares: write x ** 2, or exp(log(x) * p)")

    # Comparisons give i1.
    def __lt__(self, other):
        return comparison("lt", self, other)

    def __le__(self, other):
        return comparison("le", self, other)

    def __gt__(self, other):
        return comparison("gt", self, other)

    def __ge__(self, other):
        return comparison("ge", self, other)

    def equals(self, other):
        """Whether the elements are equal; == is left to Python."""
        return comparison("eq", self, other)

    # Truth values.
    def __and__(self, other):
        return logic("arith.andi", self, other)

    def __or__(self, other):
        return logic("arith.ori", self, other)

    def __invert__(self):
        return logic("arith.xori", self, True)

    def __bool__(self):
        raise TypeError("a formula has no truth value of its own: choose elements by napkin.where(condition, a, b)")

    # What needs an array.
    def _array(self):
        from .building import materialize

        return materialize(self)

    def astype(self, element: str):
        """The formula as an array of this element type, rounded to it."""
        from .building import materialize

        return materialize(self, element)

    def sum(self, over, dtype: str | None = None):
        return self._array().sum(over, dtype)

    def max(self, over, dtype: str | None = None):
        return self._array().max(over, dtype)

    def min(self, over, dtype: str | None = None):
        return self._array().min(over, dtype)

    def split(self, axis: str, **into: int):
        return self._array().split(axis, **into)

    def join(self, axes, into: str):
        return self._array().join(axes, into)

    def rename(self, **names: str):
        return self._array().rename(**names)

    def slice(self, axis: str, start: int, size: int | None = None, into: str | None = None, step: int = 1):
        return self._array().slice(axis, start, size, into, step)


Operand = Union[Formula, Number]


def formula_of(value: Operand, kind: str | None = None) -> Formula:
    """The formula of an array, a formula or a number; a number takes `kind`."""
    if isinstance(value, Formula):
        return value.as_formula()
    if isinstance(value, bool):
        return Formula("i1", "constant", attribute=value)
    if isinstance(value, int) and kind not in ("f32", "f64"):
        return Formula(kind if kind in ("i32", "i64", "index") else "i32", "constant", attribute=value)
    if isinstance(value, (int, float)):
        return Formula("f64" if kind == "f64" else "f32", "constant", attribute=float(value))
    raise TypeError(f"{type(value).__name__} is no array of a diagram, no formula and no number")


def convert(value: Formula, kind: str) -> Formula:
    """The same number in another scalar type."""
    if value.kind == kind:
        return value
    if value.operation == "constant" and value.kind != "i1":
        number = value.attribute
        return Formula(kind, "constant", attribute=float(number) if kind[0] == "f" else int(number))
    if value.kind == "index":
        whole = Formula("i64", "arith.index_cast", [value])
        return convert(whole, kind)
    if kind in ("f32", "f64"):
        if value.kind == "f32":
            return Formula(kind, "arith.extf", [value])
        if value.kind == "f64":
            return Formula(kind, "arith.truncf", [value])
        return Formula(kind, "arith.uitofp" if value.kind == "i1" else "arith.sitofp", [value])
    if value.kind in ("f32", "f64"):
        return Formula(kind, "arith.fptosi", [value])
    if kind == "i1":
        return comparison("ne", value, 0)
    if value.kind == "i1":
        return Formula(kind, "arith.extui", [value])
    return Formula(kind, "arith.extsi" if kind == "i64" else "arith.trunci", [value])


def floating(value: Operand) -> Formula:
    formula = formula_of(value, "f32")
    return formula if formula.kind in ("f32", "f64") else convert(formula, "f32")


def meet(first: Operand, second: Operand) -> tuple[Formula, Formula]:
    """Both operands in one type: a number takes that of the other."""
    kinds = [v.as_formula().kind for v in (first, second) if isinstance(v, Formula)]
    if any(isinstance(v, float) for v in (first, second)):
        kinds.append("f32")
    kind = kinds[0] if kinds else None
    for other in kinds[1:]:
        kind = wider(kind, other)
    left, right = formula_of(first, kind), formula_of(second, kind)
    kind = wider(left.kind, right.kind)
    return convert(left, kind), convert(right, kind)


def arithmetic(name: str, first: Operand, second: Operand) -> Formula:
    left, right = meet(first, second)
    if left.kind == "i1":
        left, right = convert(left, "i32"), convert(right, "i32")
    suffix = "f" if left.kind in ("f32", "f64") else "i"
    return Formula(left.kind, f"arith.{name}{suffix}", [left, right])


def comparison(predicate: str, first: Operand, second: Operand) -> Formula:
    left, right = meet(first, second)
    if left.kind in ("f32", "f64"):
        # As everywhere: a comparison with NaN is false, but for "not equal".
        return Formula("i1", "arith.cmpf", [left, right], ("u" if predicate == "ne" else "o") + predicate)
    if predicate in ("eq", "ne"):
        return Formula("i1", "arith.cmpi", [left, right], predicate)
    return Formula("i1", "arith.cmpi", [left, right], ("u" if left.kind == "index" else "s") + predicate)


def logic(operation: str, first: Operand, second: Operand) -> Formula:
    left, right = convert(formula_of(first), "i1"), convert(formula_of(second), "i1")
    return Formula("i1", operation, [left, right])


def _function(operation: str, summary: str):
    def function(value: Operand) -> Formula:
        operand = floating(value)
        return Formula(operand.kind, operation, [operand])

    function.__name__ = function.__qualname__ = operation.split(".")[1]
    function.__doc__ = summary
    return function


exp = _function("math.exp", "e to the power of each element.")
exp2 = _function("math.exp2", "2 to the power of each element.")
log = _function("math.log", "The natural logarithm of each element.")
log1p = _function("math.log1p", "log(1 + x) without loss near 0.")
sqrt = _function("math.sqrt", "The square root of each element.")
rsqrt = _function("math.rsqrt", "One by the square root of each element.")
tanh = _function("math.tanh", "The hyperbolic tangent of each element.")
sin = _function("math.sin", "The sine of each element.")
cos = _function("math.cos", "The cosine of each element.")
erf = _function("math.erf", "The error function of each element.")
floor = _function("math.floor", "The largest whole number that is not above each element.")
ceil = _function("math.ceil", "The smallest whole number that is not below each element.")
abs = _function("math.absf", "Each element without its sign.")


def maximum(first: Operand, second: Operand) -> Formula:
    """The larger of two elements; NaN where one is NaN."""
    left, right = meet(first, second)
    return Formula(left.kind, "arith.maximumf" if left.kind[0] == "f" else "arith.maxsi", [left, right])


def minimum(first: Operand, second: Operand) -> Formula:
    """The smaller of two elements; NaN where one is NaN."""
    left, right = meet(first, second)
    return Formula(left.kind, "arith.minimumf" if left.kind[0] == "f" else "arith.minsi", [left, right])


def where(condition: Operand, first: Operand, second: Operand) -> Formula:
    """The elements of `first` where the condition is true, else those of `second`."""
    left, right = meet(first, second)
    return Formula(left.kind, "arith.select", [convert(formula_of(condition), "i1"), left, right])


def constant_text(value: object, kind: str) -> str:
    """A number as MLIR writes it in a type."""
    if kind == "i1":
        return "true" if value else "false"
    if kind not in ("f32", "f64"):
        return str(int(value))
    number = float(value)
    if math.isfinite(number):
        text = repr(number)
        return text if "." in text else text.replace("e", ".0e") if "e" in text else text + ".0"
    single = {math.inf: "0x7F800000", -math.inf: "0xFF800000"}.get(number, "0x7FC00000")
    double = {math.inf: "0x7FF0000000000000", -math.inf: "0xFFF0000000000000"}.get(number, "0x7FF8000000000000")
    return double if kind == "f64" else single
