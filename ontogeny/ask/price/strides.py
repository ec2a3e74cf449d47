"""How values lie in memory, as far as it decides what an instruction takes: which are views, and which must be copied.

A layout is the step in elements along each dimension, as torch keeps it. Views permute, stretch and cut it; a reshape
keeps the elements where they are if it can, and copies them if not; element by element work lays its result in the
order of its first operand; everything else gives its result in rows.
"""

from __future__ import annotations

from ontogeny.isa import attrs
from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Instr
from ontogeny.isa.types import Type

Strides = tuple[int, ...]
Layouts = dict[str, Strides]


def rows(shape: tuple[int, ...]) -> Strides:
    """The layout of a value in rows, last dimension fastest."""
    found, step = [], 1
    for size in reversed(shape):
        found.append(step)
        step *= max(int(size), 1)
    return tuple(reversed(found))


def viewed(shape: tuple[int, ...], strides: Strides, other: tuple[int, ...]) -> Strides | None:
    """The layout of the same elements in another shape, where they can stay where they are; else None.

    Dimensions that lie in one another as in rows are merged into runs; every new dimension must divide a run.
    """
    runs = _runs(shape, strides)
    found: list[int] = []
    for size in reversed(other):
        while runs and runs[-1][0] == 1 and size != 1:
            runs.pop()
        if size == 1 or not runs:
            found.append(found[-1] if found else 1)
            continue
        length, step = runs[-1]
        if length % size:
            return None
        found.append(step)
        runs[-1] = (length // size, step * size)
    return tuple(reversed(found))


def _runs(shape: tuple[int, ...], strides: Strides) -> list[tuple[int, int]]:
    """(length, step) of dimensions merged as far as they lie in one another, the fastest last."""
    found: list[tuple[int, int]] = []
    for size, step in zip(reversed(shape), reversed(strides), strict=True):
        if size == 1:
            continue
        if found and step == found[-1][0] * found[-1][1]:
            found[-1] = (found[-1][0] * size, found[-1][1])
        else:
            found.append((int(size), step))
    return list(reversed(found))


def run_length(shape: tuple[int, ...], strides: Strides) -> int:
    """How many elements follow one another in memory along the last dimensions."""
    runs = _runs(shape, strides)
    return runs[-1][0] if runs and runs[-1][1] == 1 else 1


def after(instr: Instr, operands: tuple[Type, ...], result: Type, layouts: tuple[Strides, ...]) -> Strides:
    """The layout of an instruction's first result."""
    if instr.op is Op.PERMUTE:
        return tuple(layouts[0][place] for place in attrs.ints(instr, "dims"))
    if instr.op is Op.BROADCAST:
        return stretched(operands[0].shape, layouts[0], result.shape)
    if instr.op is Op.SLICE:
        return tuple(step * by for step, by in zip(layouts[0], attrs.ints(instr, "steps"), strict=True))
    if instr.op is Op.RESHAPE:
        return viewed(operands[0].shape, layouts[0], result.shape) or rows(result.shape)
    if instr.op.group in (Group.ARITHMETIC, Group.SELECT, Group.BITS):
        return _ordered(operands, result, layouts)
    return rows(result.shape)


def stretched(shape: tuple[int, ...], strides: Strides, other: tuple[int, ...]) -> Strides:
    """The layout where sizes of one are stretched: no step along them."""
    lead = (0,) * (len(other) - len(shape))
    return (*lead, *(0 if size == 1 else step for size, step in zip(shape, strides, strict=True)))


def _ordered(operands: tuple[Type, ...], result: Type, layouts: tuple[Strides, ...]) -> Strides:
    """Dense, with the dimensions in the order of the first operand of the whole shape."""
    first = next((s for t, s in zip(operands, layouts, strict=True) if t.shape == result.shape and 0 not in s), None)
    if first is None:
        return rows(result.shape)
    order = sorted(range(result.rank), key=lambda place: (-first[place], place))
    dense = rows(tuple(result.shape[place] for place in order))
    return tuple(dense[order.index(place)] for place in range(result.rank))
