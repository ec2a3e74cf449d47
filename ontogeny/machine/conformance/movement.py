"""Cases of constants, and of moving elements about: formats of every width, empty dimensions, scalars, edge values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute, Number
from ontogeny.isa.rules.site import ANY, NUMBERS
from ontogeny.isa.types import DType
from ontogeny.machine.conformance.case import Case, Shape, edges, label, ordered, sample, single

Cases = Callable[[Op], Iterator[Case]]
SAMPLED = (
    DType.F32,
    DType.BF16,
    DType.F16,
    DType.F64,
    DType.I64,
    DType.U8,
    DType.U16,
    DType.U32,
    DType.U64,
    DType.BOOL,
)

MOVES: dict[Op, tuple[tuple[Shape, dict[str, Attribute]], ...]] = {
    Op.RESHAPE: (
        ((2, 6), {"shape": (3, 4)}),
        ((6,), {"shape": (1, 6, 1)}),
        ((), {"shape": (1, 1)}),
        ((1, 1), {"shape": ()}),
        ((0, 3), {"shape": (7, 0)}),
    ),
    Op.PERMUTE: (
        ((2, 3, 4), {"dims": (2, 0, 1)}),
        ((2, 3), {"dims": (1, 0)}),
        ((), {"dims": ()}),
        ((0, 3), {"dims": (1, 0)}),
    ),
    Op.BROADCAST: (
        ((3,), {"shape": (2, 3)}),
        ((2, 1, 3), {"shape": (4, 2, 5, 3)}),
        ((), {"shape": (2, 2)}),
        ((), {"shape": ()}),
        ((1, 3), {"shape": (0, 3)}),
    ),
    Op.SLICE: (
        ((7, 5), {"starts": (1, 0), "stops": (6, 5), "steps": (2, 3)}),
        ((4,), {"starts": (2,), "stops": (2,), "steps": (1,)}),
        ((4,), {"starts": (3,), "stops": (4,), "steps": (9,)}),
        ((), {"starts": (), "stops": (), "steps": ()}),
        ((0, 2), {"starts": (0, 1), "stops": (0, 2), "steps": (1, 1)}),
    ),
    Op.FLIP: (
        ((3, 4), {"dims": (0,)}),
        ((3, 4), {"dims": (1, 0)}),
        ((3,), {"dims": ()}),
        ((), {"dims": ()}),
        ((0, 2), {"dims": (0,)}),
    ),
}
PADS: tuple[tuple[Shape, Shape, Shape], ...] = (
    ((2, 3), (1, 0), (0, 2)),
    ((2, 3), (0, 0), (0, 0)),
    ((), (), ()),
    ((0, 2), (1, 1), (0, 0)),
    ((1, 2, 2, 1), (0, 1, 2, 0), (1, 1, 0, 3)),
)
CATS: tuple[tuple[int, tuple[Shape, ...]], ...] = (
    (0, ((2, 3), (1, 3), (4, 3))),
    (1, ((2, 1), (2, 3))),
    (0, ((2,),)),
    (0, ((0, 3), (2, 3))),
    (1, ((0, 3), (0, 2))),
)


def move(op: Op) -> Iterator[Case]:
    """One operand and attributes."""
    for dtype in SAMPLED:
        for shape, attrs in MOVES[op]:
            yield single(op, [sample(dtype, shape, op.text)], f"{label(dtype, shape)} {_words(attrs)}", **attrs)
    flat = edges(DType.F32)[:10]
    for shape, attrs in MOVES[op][:2]:
        yield single(op, [np.resize(flat, shape)], f"edges {label(DType.F32, shape)} {_words(attrs)}", **attrs)


def _words(attrs: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in attrs.items())


def pad(op: Op) -> Iterator[Case]:
    """Numbers of the format all around, also such as are not finite."""
    for dtype in SAMPLED:
        numbers: list[Number] = (
            [True] if dtype is DType.BOOL else [0.0, -np.inf, np.nan, 0.1] if dtype.is_float else [3]
        )
        for shape, low, high in PADS:
            for value in numbers:
                name = f"{label(dtype, shape)} {low} {high} with {value}"
                yield single(op, [sample(dtype, shape, "pad")], name, low=low, high=high, value=value)


def cat(op: Op) -> Iterator[Case]:
    """One operand or more."""
    for dtype in SAMPLED:
        for dim, shapes in CATS:
            operands = [sample(dtype, shape, str(place)) for place, shape in enumerate(shapes)]
            yield single(op, operands, f"{label(dtype, *shapes)} along {dim}", dim=dim)


def const(op: Op) -> Iterator[Case]:
    """One number and many, of every format, at its edges."""
    for dtype in ordered(ANY):
        values = edges(dtype)
        numbers = tuple(float(value) if dtype.is_float else value.item() for value in values)
        if dtype.is_float:
            numbers += (0.1, 1e-3, 1 / 3, 1e39, 65519.0, 2.0**-24, 1.00048828125)
        yield single(op, [], f"{dtype} edges", value=numbers, dtype=dtype, shape=(1, len(numbers)))
        for number in numbers:
            yield single(op, [], f"{dtype} {number}", value=number, dtype=dtype, shape=())
        shapes: tuple[Shape, ...] = ((2, 3), (0,), (2, 0), (1,))
        for shape in shapes:
            yield single(
                op, [], f"{label(dtype, shape)} filled", value=numbers[2 % len(numbers)], dtype=dtype, shape=shape
            )
            listed = numbers[1:2] * prod(shape)
            yield single(op, [], f"{label(dtype, shape)} listed", value=listed, dtype=dtype, shape=shape)


def iota(op: Op) -> Iterator[Case]:
    """Every format, along every dimension."""
    whats: tuple[tuple[Shape, int], ...] = (((5,), 0), ((2, 3), 0), ((2, 3), 1), ((0,), 0), ((2, 0, 3), 2), ((100,), 0))
    for dtype in ordered(NUMBERS):
        for shape, dim in whats:
            yield single(op, [], f"{label(dtype, shape)} along {dim}", shape=shape, dim=dim, dtype=dtype)
    for dtype in (DType.BF16, DType.F16):
        yield single(op, [], f"{label(dtype, (3000,))} with rounding", shape=(3000,), dim=0, dtype=dtype)


CASES: dict[Op, Cases] = {
    Op.CONST: const,
    **dict.fromkeys(MOVES, move),
    Op.PAD: pad,
    Op.CAT: cat,
    Op.IOTA: iota,
}
