"""Contraction, windows, reduction, scan and sorting.

f16 and bf16 are accumulated in f32 and rounded once at the end (`scan`: each result once). The order in which floats
are added is NumPy's, and no promise: machines agree within a tolerance. NaN sorts as the largest number.
"""

from __future__ import annotations

import numpy as np

from ontogeny.isa import attrs
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.machine.learner import Array
from ontogeny.machine.reference.elementwise import Meaning, widened

ACCUMULATE = {"add": np.add, "mul": np.multiply, "max": np.maximum}


def dot(_: Instr, a: Array, b: Array) -> Array:
    """Matrix product of the last two dimensions."""
    return np.asarray(np.matmul(widened(a), widened(b)), dtype=a.dtype)


def window(instr: Instr, a: Array) -> Array:
    """Sliding windows over the last dimensions, appended as new ones: a view with repeated strides."""
    size, stride, dilation = (attrs.ints(instr, name) for name in ("size", "stride", "dilation"))
    kept = a.ndim - len(size)
    spans = [step * (width - 1) + 1 for width, step in zip(size, dilation, strict=True)]
    axes = tuple(range(kept, a.ndim))
    whole = np.lib.stride_tricks.sliding_window_view(a, spans, axis=axes)
    every = [slice(None)] * kept + [slice(None, None, step) for step in (*stride, *dilation)]
    return np.asarray(whole[tuple(every)])


def total(instr: Instr, a: Array) -> Array:
    """Sum over dimensions."""
    wide = widened(a)
    result = np.sum(wide, axis=attrs.ints(instr, "dims"), dtype=wide.dtype, keepdims=attrs.flag(instr, "keep"))
    return np.asarray(result).astype(a.dtype, copy=False)


def largest(instr: Instr, a: Array) -> Array:
    """Largest over dimensions; NaN if any is."""
    result = np.max(widened(a), axis=attrs.ints(instr, "dims"), keepdims=attrs.flag(instr, "keep"))
    return np.asarray(result).astype(a.dtype, copy=False)


def argmax(instr: Instr, a: Array) -> Array:
    """Place of the first largest, or of the first NaN."""
    result = np.argmax(widened(a), axis=attrs.integer(instr, "dim"), keepdims=attrs.flag(instr, "keep"))
    return np.asarray(result, dtype=np.int64)


def scan(instr: Instr, a: Array) -> Array:
    """Running sum, product or largest."""
    wide = widened(a)
    running = ACCUMULATE[attrs.text(instr, "kind")].accumulate(wide, axis=attrs.integer(instr, "dim"), dtype=wide.dtype)
    return running.astype(a.dtype, copy=False)


def sort(instr: Instr, a: Array) -> tuple[Array, Array]:
    """Sorted, and where from; equal elements keep their order in both directions."""
    dim, wide = attrs.integer(instr, "dim"), widened(a)
    if attrs.flag(instr, "descending"):
        backward = np.argsort(np.flip(wide, dim), axis=dim, kind="stable")
        places = a.shape[dim] - 1 - np.flip(backward, dim)
    else:
        places = np.argsort(wide, axis=dim, kind="stable")
    return np.take_along_axis(a, places, axis=dim), places.astype(np.int64, copy=False)


MEANINGS: dict[Op, Meaning] = {
    Op.DOT: dot,
    Op.WINDOW: window,
    Op.SUM: total,
    Op.REDUCE_MAX: largest,
    Op.ARGMAX: argmax,
    Op.SCAN: scan,
}
