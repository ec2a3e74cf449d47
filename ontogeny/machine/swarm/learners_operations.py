"""What a tape is made of: AutoML-Zero's operations (Real, Liang, So and Le 2020), each said in our instruction set.

They keep their published numbers. A bank is s (f64[]), v (f64[n]) or m (f64[n,n]); an operation takes registers of one
or two banks and gives one of a bank, so that any change of an operand leaves a valid tape. `emit` writes an operation
in base operations and macros: what it means is what those mean. `FORM` and `KERNEL` are for `learners_kernels.py`.

Two say something else than the original's: heaviside is 1 above 0 for scalars, too, where theirs is at 0 as well, and a
deviation sums squared distances from the mean. Not carried, of the 65: 10 to 12 (arcsine, arccosine and arctangent, for
which there is no operation), and 59 to 64 (random numbers, whose state a tape does not keep). 0 does nothing, and is
left out of a tape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ontogeny.isa.build import Builder
from ontogeny.isa.op import Op
from ontogeny.isa.types import DType
from ontogeny.machine.swarm import learners_codes as code

S, V, M = "s", "v", "m"
BANKS = (S, V, M)
Emit = Callable[[Builder, int, tuple[str, ...], float, tuple[int, ...]], str]
"""Writes an operation: of builder, features n, the operands' values, constant and places the name of the result."""


@dataclass(frozen=True)
class Operation:
    """One operation: its published number, its name, banks that it takes and gives, and how it is computed.

    `places` is how many indices say where in the register the constant goes; `constant` whether there is one.
    """

    number: int
    name: str
    takes: tuple[str, ...]
    gives: str
    kernel: int
    form: int
    emit: Emit
    constant: bool = False
    places: int = 0


def number(build: Builder, value: float, dtype: DType) -> str:
    """A scalar of its own, also where there is one like it."""
    return build.one(Op.CONST, value=value, dtype=dtype, shape=())


def plain(op: Op) -> Emit:
    """One instruction."""
    return lambda build, n, args, constant, places: build.one(op, *args)


def heaviside(build: Builder, n: int, args: tuple[str, ...], constant: float, places: tuple[int, ...]) -> str:
    """1 where above 0, else 0."""
    above = build.one(Op.LT, number(build, 0.0, DType.F64), args[0])
    return build.one(Op.CAST, above, dtype=DType.F64)


def tangent(build: Builder, n: int, args: tuple[str, ...], constant: float, places: tuple[int, ...]) -> str:
    """sine / cosine"""
    return build.one(Op.DIV, build.one(Op.SIN, args[0]), build.one(Op.COS, args[0]))


def broadcast(*shape: int) -> Emit:
    """Stretched from a reshape to `shape`, whose entries are powers of n: (0, 1) is [1, n]; none for the scalar."""

    def emit(build: Builder, n: int, args: tuple[str, ...], constant: float, places: tuple[int, ...]) -> str:
        row = build.one(Op.RESHAPE, args[0], shape=tuple(n**power for power in shape)) if shape else args[0]
        return build.one(Op.BROADCAST, row, shape=(n, n) if shape else (n,))

    return emit


def outer(build: Builder, n: int, args: tuple[str, ...], constant: float, places: tuple[int, ...]) -> str:
    """a as a column times b as a row"""
    return build.one(Op.MUL, build.one(Op.RESHAPE, args[0], shape=(n, 1)), args[1])


def inner(*dims: int) -> Emit:
    """Products summed over dimensions."""

    def emit(build: Builder, n: int, args: tuple[str, ...], constant: float, places: tuple[int, ...]) -> str:
        return build.one(Op.SUM, build.one(Op.MUL, *args), dims=dims, keep=False)

    return emit


def norm(*dims: int) -> Emit:
    """The root of the sum of squares over dimensions."""

    def emit(build: Builder, n: int, args: tuple[str, ...], constant: float, places: tuple[int, ...]) -> str:
        squares = build.one(Op.MUL, args[0], args[0])
        return build.one(Op.SQRT, build.one(Op.SUM, squares, dims=dims, keep=False))

    return emit


def mean(*dims: int) -> Emit:
    """The mean over dimensions."""
    return lambda build, n, args, constant, places: build.one(Op.MEAN, args[0], dims=dims, keep=False)


def deviation(*dims: int) -> Emit:
    """The standard deviation over dimensions, of the whole count."""

    def emit(build: Builder, n: int, args: tuple[str, ...], constant: float, places: tuple[int, ...]) -> str:
        return build.one(Op.SQRT, build.one(Op.VARIANCE, args[0], dims=dims, correction=0, keep=False))

    return emit


def transpose(build: Builder, n: int, args: tuple[str, ...], constant: float, places: tuple[int, ...]) -> str:
    """Rows as columns"""
    return build.one(Op.PERMUTE, args[0], dims=(1, 0))


def put(build: Builder, n: int, args: tuple[str, ...], constant: float, places: tuple[int, ...]) -> str:
    """The constant; where there are places, the register as it was, with the constant there"""
    value = number(build, constant, DType.F64)
    where = [number(build, place, DType.I64) for place in places]
    return build.one(Op.SCATTER_SET, args[0], value, *where) if where else value


def _each(numbers: tuple[int, int, int], name: str, kernel: int, emit: Emit, operands: int) -> list[Operation]:
    """The same operation on scalars, vectors and matrices, element by element; 0 for a bank without it."""
    pairs = zip(numbers, BANKS, strict=True)
    found = ((number, bank) for number, bank in pairs if number)
    return [Operation(number, name, (bank,) * operands, bank, kernel, code.EACH, emit) for number, bank in found]


_ALL = (
    *_each((1, 23, 39), "add", code.ADD, plain(Op.ADD), 2),
    *_each((2, 24, 40), "sub", code.SUB, plain(Op.SUB), 2),
    *_each((3, 25, 41), "mul", code.MUL, plain(Op.MUL), 2),
    *_each((4, 26, 42), "div", code.DIV, plain(Op.DIV), 2),
    *_each((44, 45, 46), "min", code.MIN, plain(Op.MIN), 2),
    *_each((47, 48, 49), "max", code.MAX, plain(Op.MAX), 2),
    *_each((5, 22, 38), "abs", code.ABS, plain(Op.ABS), 1),
    *_each((6, 20, 30), "reciprocal", code.RECIPROCAL, plain(Op.RECIPROCAL), 1),
    *_each((15, 16, 17), "heaviside", code.HEAVISIDE, heaviside, 1),
    *_each((7, 0, 0), "sin", code.SIN, plain(Op.SIN), 1),
    *_each((8, 0, 0), "cos", code.COS, plain(Op.COS), 1),
    *_each((9, 0, 0), "tan", code.TAN, tangent, 1),
    *_each((13, 0, 0), "exp", code.EXP, plain(Op.EXP), 1),
    *_each((14, 0, 0), "log", code.LOG, plain(Op.LOG), 1),
    Operation(18, "mul", (S, V), V, code.MUL, code.EACH, plain(Op.MUL)),
    Operation(29, "mul", (S, M), M, code.MUL, code.EACH, plain(Op.MUL)),
    Operation(19, "broadcast", (S,), V, code.COPY, code.EACH, broadcast()),
    Operation(21, "norm", (V,), S, code.NORM, code.WHOLE, norm(0)),
    Operation(27, "dot", (V, V), S, code.INNER, code.WHOLE, inner(0)),
    Operation(28, "outer", (V, V), M, code.OUTER, code.SQUARE, outer),
    Operation(31, "dot", (M, V), V, code.INNER, code.ROWS, inner(1)),
    Operation(32, "columns", (V,), M, code.COLUMN, code.SQUARE, broadcast(1, 0)),
    Operation(33, "rows", (V,), M, code.ROW, code.SQUARE, broadcast(0, 1)),
    Operation(34, "norm", (M,), S, code.NORM, code.WHOLE, norm(0, 1)),
    Operation(35, "column_norm", (M,), V, code.COLUMN_NORM, code.SQUARE, norm(0)),
    Operation(36, "row_norm", (M,), V, code.NORM, code.ROWS, norm(1)),
    Operation(37, "transpose", (M,), M, code.TRANSPOSE, code.SQUARE, transpose),
    Operation(43, "dot", (M, M), M, code.MATMUL, code.SQUARE, plain(Op.DOT)),
    Operation(50, "mean", (V,), S, code.MEAN, code.WHOLE, mean(0)),
    Operation(51, "mean", (M,), S, code.MEAN, code.WHOLE, mean(0, 1)),
    Operation(52, "row_mean", (M,), V, code.MEAN, code.ROWS, mean(1)),
    Operation(53, "row_deviation", (M,), V, code.DEVIATION, code.ROWS, deviation(1)),
    Operation(54, "deviation", (V,), S, code.DEVIATION, code.WHOLE, deviation(0)),
    Operation(55, "deviation", (M,), S, code.DEVIATION, code.WHOLE, deviation(0, 1)),
    Operation(56, "const", (), S, code.CONST, code.PUT, put, constant=True),
    Operation(57, "const", (), V, code.CONST, code.PUT, put, constant=True, places=1),
    Operation(58, "const", (), M, code.CONST, code.PUT, put, constant=True, places=2),
)
OPERATIONS: dict[int, Operation] = {operation.number: operation for operation in sorted(_ALL, key=lambda o: o.number)}
DEMO = (56, 27, 2, 3, 18, 23)
"""Those of the published demo of linear regression: const, dot of vectors, sub, mul, scalar times vector, add."""
