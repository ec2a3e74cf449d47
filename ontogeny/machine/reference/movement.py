"""Constants, and moving elements about. Results may be views of operands: nobody writes into a value."""

from __future__ import annotations

import numpy as np

from ontogeny.isa import attrs
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.machine.formats import converted, type_of
from ontogeny.machine.learner import Array
from ontogeny.machine.reference.elementwise import Meaning


def const(instr: Instr) -> Array:
    """One number everywhere, or one for each element."""
    numbers = converted(attrs.numbers(instr, "value"), attrs.dtype(instr))
    shape = attrs.ints(instr, "shape")
    return np.broadcast_to(numbers, shape) if numbers.ndim == 0 else numbers.reshape(shape)


def reshape(instr: Instr, a: Array) -> Array:
    """The same elements in order."""
    return a.reshape(attrs.ints(instr, "shape"))


def permute(instr: Instr, a: Array) -> Array:
    """Dimensions reordered."""
    return a.transpose(attrs.ints(instr, "dims"))


def stretch(instr: Instr, a: Array) -> Array:
    """Dimensions of size one stretched."""
    return np.broadcast_to(a, attrs.ints(instr, "shape"))


def cut(instr: Instr, a: Array) -> Array:
    """A part of every dimension."""
    bounds = zip(*(attrs.ints(instr, name) for name in ("starts", "stops", "steps")), strict=True)
    return a[tuple(slice(*bound) for bound in bounds)]


def pad(instr: Instr, a: Array) -> Array:
    """A number all around."""
    low, high = attrs.ints(instr, "low"), attrs.ints(instr, "high")
    shape = tuple(before + size + after for before, size, after in zip(low, a.shape, high, strict=True))
    result = np.full(shape, converted(attrs.number(instr, "value"), type_of(a).dtype))
    result[tuple(slice(before, before + size) for before, size in zip(low, a.shape, strict=True))] = a
    return result


def cat(instr: Instr, *operands: Array) -> Array:
    """One after another."""
    return np.concatenate(operands, axis=attrs.integer(instr, "dim"))


def flip(instr: Instr, a: Array) -> Array:
    """Reversed along dimensions."""
    return np.flip(a, attrs.ints(instr, "dims"))


def iota(instr: Instr) -> Array:
    """Places along one dimension."""
    shape, dim = attrs.ints(instr, "shape"), attrs.integer(instr, "dim")
    places = converted(np.arange(shape[dim]), attrs.dtype(instr))
    return np.broadcast_to(places.reshape([-1 if place == dim else 1 for place in range(len(shape))]), shape)


MEANINGS: dict[Op, Meaning] = {
    Op.CONST: const,
    Op.RESHAPE: reshape,
    Op.PERMUTE: permute,
    Op.BROADCAST: stretch,
    Op.SLICE: cut,
    Op.PAD: pad,
    Op.CAT: cat,
    Op.FLIP: flip,
    Op.IOTA: iota,
}
