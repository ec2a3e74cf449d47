"""Cases of arithmetic, comparison, selection, conversion and bits: all formats, shapes that broadcast, and edge values.

Not sampled, since machines may differ there: sine and cosine of large numbers, floats cast to an integer format that
cannot hold them, and powers with a constant 0.5, which torch takes for square roots (of minus infinity that is NaN).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ontogeny.isa.op import Op
from ontogeny.isa.rules.site import ANY, BITS, INTS, NUMBERS
from ontogeny.isa.types import FLOATS, DType
from ontogeny.machine.conformance.case import Case, Shape, edges, label, ordered, sample, single, small, with_constant
from ontogeny.machine.formats import NUMPY, converted

Cases = Callable[[Op], Iterator[Case]]
ONE: tuple[Shape, ...] = ((), (1,), (0,), (37,), (2, 3), (2, 0, 3))
TWO: tuple[tuple[Shape, Shape], ...] = (
    ((), ()),
    ((5,), ()),
    ((), (2, 2)),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((0, 3), (1, 3)),
    ((2, 17), (2, 17)),
)
WHERE: tuple[tuple[Shape, Shape, Shape], ...] = (
    ((), (), ()),
    ((3,), (3,), (3,)),
    ((2, 1), (3,), ()),
    ((), (2,), (2,)),
    ((1, 3), (0, 1), ()),
)


def unary(family: frozenset[DType]) -> Cases:
    """One operand."""

    def found(op: Op) -> Iterator[Case]:
        for dtype in ordered(family):
            for shape in ONE:
                yield single(op, [sample(dtype, shape, op.text)], label(dtype, shape))
            values = edges(dtype)
            if op in (Op.SIN, Op.COS):
                values = np.where(values == converted(60000.0, dtype), converted(30.0, dtype), values)
            yield single(op, [values], f"{dtype} edges")
            yield single(op, [values.reshape(1, -1).repeat(5, axis=0).T], f"{dtype} edges, transposed")

    return found


def binary(family: frozenset[DType]) -> Cases:
    """Two operands, and each of them a constant."""

    def found(op: Op) -> Iterator[Case]:
        for dtype in ordered(family):
            for one, two in TWO:
                yield single(op, [sample(dtype, one, "a"), sample(dtype, two, "b")], label(dtype, one, two))
            values = edges(dtype)
            yield single(op, [values[:, None], values[None, :]], f"{dtype} edges")
            yield from constants(op, dtype, values)

    return found


def constants(op: Op, dtype: DType, values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Iterator[Case]:
    """An operand that stands in the program as a scalar constant, right and left, with a vector and with a scalar."""
    for value in values[: 7 if dtype.is_float else len(values)]:
        if op is Op.POW and value == 0.5:
            continue
        scalar = np.asarray(value, dtype=NUMPY[dtype])
        yield with_constant(op, [values, scalar], f"{dtype} edges and constant {value}", 1)
        yield with_constant(op, [scalar, values], f"{dtype} constant {value} and edges", 0)
        yield with_constant(
            op, [np.asarray(values[2 % len(values)]), scalar], f"{dtype} scalar and constant {value}", 1
        )


def shifts(op: Op) -> Iterator[Case]:
    """By every count up to the width, beyond it, and below zero."""
    for dtype in ordered(INTS):
        width = dtype.bytes * 8
        counts = [0, 1, width - 1, width, width + 1, 100] + ([-1, -width] if np.iinfo(NUMPY[dtype]).min else [])
        by = np.array(counts, dtype=NUMPY[dtype])
        yield single(op, [edges(dtype)[:, None], by], f"{dtype} edges")
        yield single(op, [sample(dtype, (40,), "a"), small(dtype, (40,), "b", 0, width)], label(dtype, (40,)))
        for count in by:
            yield with_constant(op, [edges(dtype), np.asarray(count)], f"{dtype} by constant {count}", 1)
        yield single(op, [sample(dtype, (), "a"), small(dtype, (), "b")], label(dtype, (), ()))
        yield single(op, [sample(dtype, (0,), "a"), small(dtype, (), "b")], label(dtype, (0,), ()))


def where(op: Op) -> Iterator[Case]:
    """All formats, broadcast, and with constants."""
    for dtype in ordered(ANY):
        for shapes in WHERE:
            operands = [
                sample(DType.BOOL, shapes[0], "holds"),
                sample(dtype, shapes[1], "b"),
                sample(dtype, shapes[2], "c"),
            ]
            yield single(op, operands, label(dtype, *shapes))
        values = edges(dtype)
        yield single(op, [np.array([[True], [False]]), values, values[::-1].copy()], f"{dtype} edges")
        for place in (1, 2):
            operands = [sample(DType.BOOL, values.shape, "holds"), values, values]
            operands[place] = np.asarray(values[1])
            yield with_constant(op, operands, f"{dtype} constant {place}", place)


def casts(op: Op) -> Iterator[Case]:
    """Every format to every other: ordinary values that the target holds, and edges where the meaning is defined."""
    for source in ordered(ANY):
        for target in ordered(ANY):
            truncates = source.is_float and target.is_int
            whole = small(source, (3, 7), "cast", 0, 2 if source is DType.BOOL else 100)
            values = whole if truncates else edges(source)
            yield single(op, [values], f"{source} to {target}", dtype=target)
            yield single(op, [np.asarray(whole[0, 0])], f"{source}[] to {target}", dtype=target)
            yield single(op, [sample(source, (0, 2), "cast")], f"{source}[0,2] to {target}", dtype=target)
            if truncates:
                low = -100.0 if np.iinfo(NUMPY[target]).min else 0.0
                parts = converted(np.array([0.5, 0.99, 1.5, 99.75, low, low * 0.99, low * 0.001]), source)
                yield single(op, [parts], f"{source} with fractions to {target}", dtype=target)
            elif source.is_float:
                ties = converted(1 + np.arange(-9, 9) * 2.0**-12, source)
                yield single(op, [ties], f"{source} between to {target}", dtype=target)
            elif source is not DType.BOOL:
                yield single(op, [sample(source, (40,), "cast")], f"{source} of all sizes to {target}", dtype=target)


def bitcasts(op: Op) -> Iterator[Case]:
    """Every format to every other of its width; NaN is left out, since its bits are nobody's."""
    for source in ordered(NUMBERS):
        values = edges(source)
        values = values[~np.isnan(values.astype(np.float64))]
        for target in ordered(NUMBERS):
            if target.bytes == source.bytes:
                yield single(op, [values], f"{source} to {target}", dtype=target)
                yield single(op, [np.asarray(values[2])], f"{source}[] to {target}", dtype=target)
                yield single(op, [values[:0].reshape(2, 0)], f"{source}[2,0] to {target}", dtype=target)


CASES: dict[Op, Cases] = {
    **dict.fromkeys((Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.REM, Op.MAX, Op.MIN), binary(NUMBERS)),
    **dict.fromkeys((Op.NEG, Op.ABS), unary(NUMBERS)),
    **dict.fromkeys((Op.SQRT, Op.EXP, Op.LOG, Op.SIN, Op.COS, Op.TANH, Op.ERF, Op.FLOOR), unary(FLOATS)),
    Op.POW: binary(FLOATS),
    **dict.fromkeys((Op.LT, Op.LE, Op.EQ), binary(ANY)),
    Op.WHERE: where,
    Op.CAST: casts,
    Op.BITCAST: bitcasts,
    **dict.fromkeys((Op.AND, Op.OR, Op.XOR), binary(BITS)),
    Op.NOT: unary(BITS),
    **dict.fromkeys((Op.SHL, Op.SHR), shifts),
    Op.POPCOUNT: unary(INTS),
}
