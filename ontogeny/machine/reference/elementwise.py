"""Elementwise arithmetic, comparison, selection, conversion and bits.

f16 and bf16 are computed in f32 and rounded once per instruction. Integers wrap around. `rem` of floats is exact (C's
fmod moved to the sign of b), not the three roundings of its formula. A shift by a negative count is one by the width or
more. A float that an integer format cannot hold is cast to the nearest number it can hold, NaN to 0, so that the
reference is the same everywhere; programs must not rely on it, since machines may differ there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ontogeny.isa import attrs
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.isa.types import DType
from ontogeny.machine.formats import DTYPES, HALVES, NUMPY, converted
from ontogeny.machine.learner import Array

Meaning = Callable[..., Array]
_erf = np.frompyfunc(math.erf, 1, 1)


def arithmetic(function: Callable[..., Any]) -> Meaning:
    """The meaning of a NumPy function on operands of one format, with the result in that format."""

    def meaning(_: Instr, *operands: Array) -> Array:
        kind = operands[0].dtype
        wide = tuple(widened(operand) for operand in operands)
        return np.asarray(function(*wide)).astype(kind, copy=False)

    return meaning


def comparison(function: Callable[..., Any]) -> Meaning:
    """The meaning of a NumPy comparison, as bool."""

    def meaning(_: Instr, *operands: Array) -> Array:
        return np.asarray(function(*map(widened, operands)), dtype=np.bool_)

    return meaning


def widened(operand: Array) -> Array:
    """f16 and bf16 as f32; anything else as it is."""
    return operand.astype(np.float32) if operand.dtype in HALVES else operand


def divide(a: Array, b: Array) -> Any:
    """The quotient; for integers its floor, and 0 where b is 0."""
    return np.true_divide(a, b) if a.dtype.kind == "f" else np.floor_divide(a, b)


def erf(a: Array) -> Any:
    """Gauss's error function, computed in f64."""
    return np.asarray(_erf(a.astype(np.float64)), dtype=np.float64)


def power(a: Array, b: Array) -> Any:
    """a to the b as in C, also where NumPy takes a square root for it: of minus infinity that is infinity, not NaN."""
    return np.where((a == -np.inf) & (b == 0.5), np.inf, np.power(a, b))


def popcount(a: Array) -> Any:
    """Ones among the bits; `bitwise_count` would count those of the absolute value."""
    return np.bitwise_count(a.view(f"u{a.dtype.itemsize}"))


def where(_: Instr, holds: Array, b: Array, c: Array) -> Array:
    """b where `holds`, else c."""
    return np.where(holds, b, c)


def cast(instr: Instr, a: Array) -> Array:
    """Another format."""
    target = attrs.dtype(instr)
    if target is DType.BOOL:
        return np.asarray(widened(a) != 0)
    if target.is_int and DTYPES[a.dtype].is_float:
        return truncated(widened(a), target)
    return converted(a, target)


def truncated(a: Array, target: DType) -> Array:
    """Floats as integers, rounded towards zero; the nearest number of the format where it is out of range."""
    info = np.iinfo(NUMPY[target])
    a = np.nan_to_num(np.trunc(a.astype(np.float64)), nan=0.0, posinf=np.inf, neginf=-np.inf)
    low, high = a <= float(info.min), a >= float(info.max)
    inside = np.where(low | high, 0.0, a).astype(NUMPY[target])
    limits = np.array([info.min, info.max], dtype=NUMPY[target])
    return np.where(low, limits[0], np.where(high, limits[1], inside))


def bitcast(instr: Instr, a: Array) -> Array:
    """The same bits in another format of the same width."""
    return np.ascontiguousarray(a).reshape(a.shape).view(NUMPY[attrs.dtype(instr)])


MEANINGS: dict[Op, Meaning] = {
    Op.ADD: arithmetic(np.add),
    Op.SUB: arithmetic(np.subtract),
    Op.MUL: arithmetic(np.multiply),
    Op.DIV: arithmetic(divide),
    Op.REM: arithmetic(np.remainder),
    Op.NEG: arithmetic(np.negative),
    Op.ABS: arithmetic(np.abs),
    Op.SQRT: arithmetic(np.sqrt),
    Op.EXP: arithmetic(np.exp),
    Op.LOG: arithmetic(np.log),
    Op.SIN: arithmetic(np.sin),
    Op.COS: arithmetic(np.cos),
    Op.TANH: arithmetic(np.tanh),
    Op.ERF: arithmetic(erf),
    Op.POW: arithmetic(power),
    Op.MAX: arithmetic(np.maximum),
    Op.MIN: arithmetic(np.minimum),
    Op.FLOOR: arithmetic(np.floor),
    Op.LT: comparison(np.less),
    Op.LE: comparison(np.less_equal),
    Op.EQ: comparison(np.equal),
    Op.WHERE: where,
    Op.CAST: cast,
    Op.BITCAST: bitcast,
    Op.AND: arithmetic(np.bitwise_and),
    Op.OR: arithmetic(np.bitwise_or),
    Op.XOR: arithmetic(np.bitwise_xor),
    Op.NOT: arithmetic(np.bitwise_not),
    Op.SHL: arithmetic(np.left_shift),
    Op.SHR: arithmetic(np.right_shift),
    Op.POPCOUNT: arithmetic(popcount),
}
