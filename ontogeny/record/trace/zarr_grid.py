"""How a tensor is cut for Zarr: blocks of elements that lie side by side in C order, so that flat ranges are blocks.

A block is whole along the trailing axes, some long along one axis, and one long along those before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod


@dataclass(frozen=True, slots=True)
class Part:
    """One block: the flat places `first` to `last`, and the slices of the tensor's axes that hold them."""

    first: int
    last: int
    slices: tuple[slice, ...]


def block_shape(shape: tuple[int, ...], elements: int) -> tuple[int, ...]:
    """The shape of blocks of a tensor that hold at most so many elements, and at least one."""
    for axis in range(len(shape)):
        inner = prod(shape[axis + 1 :])
        if inner <= elements:
            length = max(1, min(shape[axis], elements // max(1, inner)))
            return (*(1,) * axis, length, *(max(1, size) for size in shape[axis + 1 :]))
    return (1,) * len(shape)


def rounded_up(block: tuple[int, ...], unit: tuple[int, ...]) -> tuple[int, ...]:
    """A block shape whose sizes are multiples of a smaller one's."""
    return tuple(-(-size // one) * one for size, one in zip(block, unit, strict=True))


def parts(shape: tuple[int, ...], block: tuple[int, ...]) -> Iterator[Part]:
    """The blocks of a tensor, in the order of their flat places."""
    steps = (range(0, size, length) for size, length in zip(shape, block, strict=True))
    for corner in product(*steps):
        slices = tuple(slice(at, min(at + length, size)) for at, length, size in zip(corner, block, shape, strict=True))
        first = sum(at * prod(shape[axis + 1 :]) for axis, at in enumerate(corner))
        yield Part(first, first + prod(s.stop - s.start for s in slices), slices)
