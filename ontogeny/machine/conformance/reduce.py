"""Cases of contraction, windows, reduction, scan, sorting, indexing and random bits.

Nothing sampled here adds up more than 40 numbers, so that a tolerance is one of rounding, not of cancellation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ontogeny.isa.op import Op
from ontogeny.isa.rules.site import ANY, INTS, NUMBERS
from ontogeny.isa.types import DType
from ontogeny.machine.conformance.case import Case, Shape, edges, label, ordered, positive, sample, single, small
from ontogeny.machine.learner import Array

Cases = Callable[[Op], Iterator[Case]]
DOTS: tuple[tuple[Shape, Shape], ...] = (
    ((2, 3), (3, 4)),
    ((1, 1), (1, 1)),
    ((5, 0), (0, 3)),
    ((0, 2), (2, 3)),
    ((2, 4, 7), (2, 7, 3)),
    ((2, 3, 1, 5), (2, 3, 5, 2)),
    ((0, 2, 2), (0, 2, 2)),
    ((17, 31), (31, 13)),
)
WINDOWS: tuple[tuple[Shape, Shape, Shape, Shape], ...] = (  # operand, size, stride, dilation
    ((7,), (3,), (1,), (1,)),
    ((2, 9), (3,), (2,), (2,)),
    ((2, 5, 6), (2, 3), (1, 2), (2, 1)),
    ((2, 3), (), (), ()),
    ((0, 4), (2,), (1,), (1,)),
    ((3, 3), (3, 3), (5, 5), (1, 1)),
)
REDUCTIONS: tuple[tuple[Shape, Shape], ...] = (
    ((), ()),
    ((5,), (0,)),
    ((2, 3, 4), (1,)),
    ((2, 3, 4), (2, 0)),
    ((2, 3), ()),
    ((0, 3), (1,)),
    ((2, 3, 4), (0, 1, 2)),
)
INDEXED: tuple[tuple[Shape, tuple[Shape, ...]], ...] = (  # operand, indices
    ((5,), ((),)),
    ((5, 3), ((4,),)),
    ((5, 3), ((4,), (4,))),
    ((4, 3, 2), ((2, 1), (1, 3))),
    ((4, 3, 2), ((6,),)),
    ((4, 3), ((0,),)),
    ((4, 0), ((2,),)),
)


def dot(op: Op) -> Iterator[Case]:
    """All formats, batches, nothing to add up."""
    for dtype in ordered(NUMBERS):
        for one, two in DOTS:
            yield single(op, [sample(dtype, one, "a"), sample(dtype, two, "b")], label(dtype, one, two))
        turned = [sample(dtype, (4, 3), "a").T, sample(dtype, (5, 4), "b").T]
        yield single(op, turned, f"{dtype} transposed")


def window(op: Op) -> Iterator[Case]:
    """Strides, dilations, no dimensions at all."""
    for dtype in (DType.F32, DType.BF16, DType.I64, DType.U8, DType.BOOL):
        for shape, size, stride, dilation in WINDOWS:
            name = f"{label(dtype, shape)} {size} by {stride} and {dilation}"
            yield single(op, [sample(dtype, shape, "window")], name, size=size, stride=stride, dilation=dilation)


def reduction(op: Op) -> Iterator[Case]:
    """All formats, sets of dimensions, kept or not; and what is not finite."""
    for dtype in ordered(NUMBERS):
        whats = REDUCTIONS if op is Op.REDUCE_MAX else (*REDUCTIONS, ((2, 0), (1,)), ((0, 0), (0, 1)))
        for shape, dims in whats:
            for keep in (False, True):
                name = f"{label(dtype, shape)} over {dims}{' kept' if keep else ''}"
                yield single(op, [sample(dtype, shape, "reduce")], name, dims=dims, keep=keep)
        values = edges(dtype)
        pairs = np.stack(np.broadcast_arrays(values[:, None], values[None, :]), axis=-1)
        yield single(op, [pairs], f"{dtype} edges", dims=(2,), keep=False)


def argmax(op: Op) -> Iterator[Case]:
    """Ties, and NaN as the largest."""
    for dtype in ordered(NUMBERS):
        places: tuple[tuple[Shape, int], ...] = (((5,), 0), ((2, 3, 4), 1), ((1,), 0), ((0, 3), 1), ((40, 2), 0))
        for shape, dim in places:
            for keep in (False, True):
                operand = small(dtype, shape, "argmax")
                name = f"{label(dtype, shape)} along {dim}{' kept' if keep else ''}"
                yield single(op, [operand], name, dim=dim, keep=keep)
        values = edges(dtype)
        yield single(op, [np.stack([np.roll(values, by) for by in range(5)])], f"{dtype} edges", dim=1, keep=False)


def scan(op: Op) -> Iterator[Case]:
    """Every kind, every dimension."""
    for dtype in ordered(NUMBERS):
        for kind in ("add", "mul", "max"):
            places: tuple[tuple[Shape, int], ...] = (((9,), 0), ((3, 4), 0), ((3, 4), 1), ((0,), 0), ((2, 0), 0))
            for shape, dim in places:
                operand = sample(dtype, shape, "scan") if dtype.is_int else positive(dtype, shape, "scan")
                yield single(op, [operand], f"{label(dtype, shape)} {kind} along {dim}", dim=dim, kind=kind)
    for dtype in (DType.F32, DType.BF16):
        values = edges(dtype)
        yield single(op, [values], f"{dtype} edges max", dim=0, kind="max")


def sort(op: Op) -> Iterator[Case]:
    """Stable in both directions, NaN the largest."""
    for dtype in ordered(NUMBERS):
        for descending in (False, True):
            way = "down" if descending else "up"
            places: tuple[tuple[Shape, int], ...] = (
                ((30,), 0),
                ((6, 5), 0),
                ((6, 5), 1),
                ((0,), 0),
                ((2, 0), 0),
                ((1,), 0),
            )
            for shape, dim in places:
                operand, name = small(dtype, shape, "sort"), f"{label(dtype, shape)} along {dim} {way}"
                yield single(op, [operand], name, dim=dim, descending=descending)
            twice = np.tile(edges(dtype), 2)
            yield single(op, [twice], f"{dtype} edges {way}", dim=0, descending=descending)


def indices(operand: Shape, shapes: tuple[Shape, ...], dtype: DType, name: str, back: bool) -> list[Array]:
    """Indices in range, with repetitions; `back` counts some of them from the end."""
    found = []
    for dim, shape in enumerate(shapes):
        size = operand[dim]
        found.append(small(dtype, shape, f"{name} {dim}", -size if back else 0, size))
    return found


def result_shape(operand: Shape, shapes: tuple[Shape, ...]) -> Shape:
    """The shape of a[i, j, ...]."""
    return (*np.broadcast_shapes(*shapes), *operand[len(shapes) :])


def gather(op: Op) -> Iterator[Case]:
    """Indices that broadcast, from either end, of every format, none at all, and out of range."""
    for dtype in ordered(ANY):
        for shape, shapes in INDEXED:
            for back in (False, True):
                name = f"{label(dtype, shape, *shapes)}{' from the end' if back else ''}"
                found = indices(shape, shapes, DType.I64, "gather", back)
                yield single(op, [sample(dtype, shape, "a"), *found], name)
    for dtype in ordered(INTS):
        found = indices((5, 3), ((4,), (4,)), dtype, "gather", False)
        yield single(op, [sample(DType.F32, (5, 3), "a"), *found], f"by {dtype}")
    yield from out_of_range(op, [])


def out_of_range(op: Op, values: list[Array]) -> Iterator[Case]:
    """Just beyond either end: the routine stops."""
    for index in (5, -6, 1 << 40):
        operands = [sample(DType.F32, (5,), "a"), *values, np.array([0, index])]
        yield single(op, operands, f"out of range at {index}")


def scatter(op: Op) -> Iterator[Case]:
    """Places named once, more than once, never, and out of range."""
    for dtype in ordered(ANY if op is Op.SCATTER_SET else NUMBERS):
        for shape, shapes in INDEXED:
            for back in (False, True):
                name = f"{label(dtype, shape, *shapes)}{' from the end' if back else ''}"
                values = sample(dtype, result_shape(shape, shapes), "b")
                found = indices(shape, shapes, DType.I64, "scatter", back)
                yield single(op, [sample(dtype, shape, "a"), values, *found], name)
        many = [small(dtype, (3,), "a", 0, 2), small(dtype, (40,), "b", 0, 2), small(DType.I64, (40,), "i", 0, 3)]
        yield single(op, many, f"{dtype} many to few")
    for dtype in ordered(INTS):
        found = indices((5, 3), ((4,),), dtype, "scatter", False)
        yield single(op, [sample(DType.F32, (5, 3), "a"), sample(DType.F32, (4, 3), "b"), *found], f"by {dtype}")
    yield from out_of_range(op, [sample(DType.F32, (2,), "b")])


def rand_bits(op: Op) -> Iterator[Case]:
    """Odd and even counts, nothing, seeds and steps of either sign and beyond 32 bits, large sites."""
    for seed in (0, 1, -1, 1 << 40, -(1 << 63), (1 << 63) - 1, 0x123456789ABCDEF):
        for step in (0, 7, -3, 1 << 33):
            yield single(op, [np.array(seed), np.array(step)], f"of {seed} and {step}", shape=(3,), site=5)
    shapes: tuple[Shape, ...] = ((), (0,), (1,), (4, 0), (3, 3), (2, 128))
    for shape in shapes:
        for site in (0, 1, (1 << 32) - 1):
            name = f"{label(DType.U32, shape)} at {site}"
            yield single(op, [np.array(2), np.array(3)], name, shape=shape, site=site)


CASES: dict[Op, Cases] = {
    Op.DOT: dot,
    Op.WINDOW: window,
    Op.SUM: reduction,
    Op.REDUCE_MAX: reduction,
    Op.ARGMAX: argmax,
    Op.SCAN: scan,
    Op.GATHER: gather,
    Op.SCATTER_SET: scatter,
    Op.SCATTER_ADD: scatter,
    Op.SORT: sort,
    Op.RAND_BITS: rand_bits,
}
