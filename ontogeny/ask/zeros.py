"""How many multiplications of an instruction have a zero operand: counted exactly, from the operands themselves.

In a sum of products over k, the sum over m and n of [a_mk != 0] [b_kn != 0] is a product of two counts, one for each
operand, so that counting costs as much as reading them. A multiplication with a zero is counted even where its result
matters (0 * inf), and one with the padding of a convolution too: a kernel that goes over it multiplies with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from ontogeny.data.base import Array
from ontogeny.isa import attrs
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Products:
    """Multiplications, and how many have an operand that is zero. `added` says whether each goes into a sum."""

    count: int
    zero: int
    added: bool


Count = Callable[[Instr, tuple[Array, ...]], Products]


def products(instr: Instr, operands: tuple[Array, ...]) -> Products | None:
    """The multiplications of one instruction on these operands; None where it has none that are counted."""
    return COUNTS[instr.op](instr, operands) if instr.op in COUNTS else None


def _matrices(a: Array, b: Array) -> Products:
    """[..., m, k] x [..., k, n]."""
    left, right = _nonzero(a).sum(axis=-2, dtype=np.int64), _nonzero(b).sum(axis=-1, dtype=np.int64)
    count = prod(a.shape) * b.shape[-1]
    return Products(count, count - int((left * right).sum()), True)


def _elementwise(*factors: Array) -> Products:
    """A product of elements that are stretched to one shape."""
    flags = np.broadcast_arrays(*map(_nonzero, factors))
    count = flags[0].size
    return Products(count, count - int(np.count_nonzero(np.logical_and.reduce(flags))), False)


def _conv(instr: Instr, operands: tuple[Array, ...]) -> Products:
    """Each place of each window of each channel goes with every output of its group."""
    x, w = operands[:2]
    seen = _windows(instr, x, w)
    spatial = w.ndim - 2
    by_place = seen.sum(axis=(0, *range(2, 2 + spatial)), dtype=np.int64)  # [channels, *kernel]
    groups = attrs.integer(instr, "groups")
    weights = _nonzero(w).reshape(groups, -1, *w.shape[1:]).sum(axis=1, dtype=np.int64)  # [groups, channels, *kernel]
    count = x.shape[0] * prod(seen.shape[2 : 2 + spatial]) * w.size
    return Products(count, count - int((by_place.reshape(weights.shape) * weights).sum()), True)


def _conv_backward(instr: Instr, operands: tuple[Array, ...]) -> Products:
    """The gradient of the input, g with w, and that of the weights, g with the windows of the input."""
    g, x, w = operands
    spatial = w.ndim - 2
    gradient = _nonzero(g)
    by_output = gradient.sum(axis=(0, *range(2, 2 + spatial)), dtype=np.int64)
    for_input = int((by_output * _nonzero(w).reshape(len(w), -1).sum(axis=1, dtype=np.int64)).sum())
    groups, places = attrs.integer(instr, "groups"), g.shape[2:]
    outputs = gradient.reshape(g.shape[0], groups, -1, *places).sum(axis=2, dtype=np.int64)
    seen = _windows(instr, x, w).sum(axis=tuple(range(-spatial, 0)), dtype=np.int64)  # [n, channels, *places]
    inputs = seen.reshape(g.shape[0], groups, -1, *places).sum(axis=2)
    count = 2 * g.size * prod(w.shape[1:])
    return Products(count, count - for_input - int((outputs * inputs).sum()), True)


def _windows(instr: Instr, x: Array, w: Array) -> Flags:
    """Where the windows of the padded input are not zero: [n, channels, *places, *kernel], a view."""
    padding, stride, dilation = (attrs.ints(instr, name) for name in ("padding", "stride", "dilation"))
    padded = np.pad(_nonzero(x), ((0, 0), (0, 0), *((more, more) for more in padding)))
    spread = tuple(1 + (size - 1) * apart for size, apart in zip(w.shape[2:], dilation, strict=True))
    spatial = tuple(range(2, x.ndim))
    view = sliding_window_view(padded, spread, axis=spatial)
    every = (*(slice(None, None, step) for step in stride), *(slice(None, None, apart) for apart in dilation))
    found: Flags = view[(slice(None), slice(None), *every)]
    return found


def _nonzero(array: Array) -> Flags:
    found: Any = np.asarray(array) != 0
    return np.asarray(found, np.bool_)


COUNTS: dict[Op, Count] = {
    Op.DOT: lambda _, o: _matrices(*o),
    Op.LINEAR: lambda _, o: _matrices(*o[1:]),
    Op.CONV: _conv,
    Op.CONV_BACKWARD: _conv_backward,
    Op.MUL: lambda _, o: _elementwise(*o),
    Op.SCALE: lambda _, o: _elementwise(*o),
    Op.AXPY: lambda _, o: _elementwise(*o[1:]),
    Op.ADDCMUL: lambda _, o: _elementwise(*o[1:]),
}
"""Sums of products, and products of elements. What else multiplies somewhere inside is not looked into."""
