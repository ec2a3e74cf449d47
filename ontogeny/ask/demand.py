"""Which elements of which values an update has to be worked out for, when only some of a register are asked about.

An elementwise rule needs the same places of its operands; moving elements about maps places to places; whatever is not
known here needs its operands whole, as the norm does by which gradients are clipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.isa import attrs
from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Instr
from ontogeny.isa.types import Type

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Some elements of a value, by their flat places, or all of it where `places` is None. Told apart by `key`."""

    name: str
    key: str = ""
    places: Places | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one operand gives: `at` are the places of the result that it gives, all of them where that is None."""

    wanted: Wanted
    at: Places | None = None


def is_elementwise(op: Op) -> bool:
    """Whether each element of the result comes from one of every operand."""
    plain = op.group in (Group.ARITHMETIC, Group.SELECT) and op is not Op.BITCAST
    return plain or op in (Op.SIGN, Op.PROBE)


def shares(instr: Instr, result: Wanted, types: dict[str, Type]) -> list[Share] | None:
    """What of each operand gives the places wanted of the result; None where the operands are needed whole."""
    places = result.places
    if places is None:
        return None
    shape = tuple(types[instr.out[0]].shape)
    if is_elementwise(instr.op) or instr.op is Op.BROADCAST:
        return [_share(arg, _stretched(places, shape, types[arg].shape)) for arg in instr.args]
    if instr.op is Op.RESHAPE:
        return [_share(instr.args[0], places)]
    if instr.op in (Op.PERMUTE, Op.SLICE, Op.FLIP):
        return [_share(instr.args[0], _moved(instr, places, shape, types[instr.args[0]].shape))]
    if instr.op is Op.CAT:
        return list(_cut(instr, places, shape, types))
    return None


def _share(name: str, places: Places | None, at: Places | None = None) -> Share:
    key = "" if places is None else f"{len(places)}:{hash(places.tobytes())}"
    return Share(Wanted(name, key, places), at)


def wanted(name: str, places: Places) -> Wanted:
    """Some elements of a value."""
    return _share(name, places).wanted


def _stretched(places: Places, shape: tuple[int, ...], operand: tuple[int, ...]) -> Places | None:
    """Places of an operand that is stretched to a shape; a single number is wanted whole."""
    if shape == operand:
        return places
    if all(size == 1 for size in operand):
        return None
    index = np.unravel_index(places, shape)[len(shape) - len(operand) :]
    fitted = [np.zeros_like(one) if size == 1 else one for one, size in zip(index, operand, strict=True)]
    return np.asarray(np.ravel_multi_index(fitted, operand), np.int64)


def _moved(instr: Instr, places: Places, shape: tuple[int, ...], operand: tuple[int, ...]) -> Places:
    index = list(np.unravel_index(places, shape))
    if instr.op is Op.PERMUTE:
        dims = attrs.ints(instr, "dims")
        index = [index[dims.index(dim)] for dim in range(len(dims))]
    elif instr.op is Op.SLICE:
        bounds = zip(index, attrs.ints(instr, "starts"), attrs.ints(instr, "steps"), strict=True)
        index = [start + one * step for one, start, step in bounds]
    else:
        flipped = attrs.ints(instr, "dims")
        index = [size - 1 - one if dim in flipped else one for dim, (one, size) in enumerate(zip(index, shape))]
    return np.asarray(np.ravel_multi_index(index, operand), np.int64)


def _cut(instr: Instr, places: Places, shape: tuple[int, ...], types: dict[str, Type]) -> Iterator[Share]:
    dim, start = attrs.integer(instr, "dim"), 0
    index = list(np.unravel_index(places, shape))
    for name in instr.args:
        operand = types[name].shape
        stop = start + operand[dim]
        at = np.flatnonzero((index[dim] >= start) & (index[dim] < stop))
        if len(at):
            own = [one[at] - (start if axis == dim else 0) for axis, one in enumerate(index)]
            yield _share(name, np.asarray(np.ravel_multi_index(own, operand), np.int64), at)
        start = stop
