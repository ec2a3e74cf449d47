"""Scalar arithmetic on the host: what a rule computes from dials and the step count never becomes a tensor.

A value is a host scalar when it is a scalar of f64, i64 or bool that depends only on dials, constants and scalar
registers. It is computed by Python, in IEEE double precision and wrapping 64-bit integers, as the reference machine
would.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ontogeny.isa.op import Op
from ontogeny.isa.types import DType, Type

HOST = frozenset({DType.F64, DType.I64, DType.BOOL})


def _wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any) -> Any:
        result = function(*args)
        return result if isinstance(result, bool | float) else (result + (1 << 63)) % (1 << 64) - (1 << 63)

    return wrapped


def _ieee(function: Callable[..., Any], ufunc: Callable[..., Any]) -> Callable[..., Any]:
    """Python's function, or NumPy's where Python raises for what IEEE arithmetic gives infinity or NaN."""

    def careful(*args: Any) -> Any:
        try:
            return function(*args)
        except (ValueError, OverflowError, ZeroDivisionError):
            with np.errstate(all="ignore"):
                return float(ufunc(*(np.float64(a) for a in args)))

    return careful


def _power(a: float, b: float) -> float:
    return math.pow(a, b)


def _divide(a: Any, b: Any) -> Any:
    if isinstance(a, int):
        return a // b if b else 0
    return a / b


def _remainder(a: Any, b: Any) -> Any:
    if isinstance(a, int):
        return a % b if b else 0
    return a % b


def _larger(a: Any, b: Any) -> Any:
    return a if a != a or a > b else b


def _smaller(a: Any, b: Any) -> Any:
    return a if a != a or a < b else b


def _floor(a: float) -> float:
    return float(math.floor(a))


SCALAR: dict[Op, Callable[..., Any]] = {
    Op.ADD: _wrapped(operator.add),
    Op.SUB: _wrapped(operator.sub),
    Op.MUL: _wrapped(operator.mul),
    Op.DIV: _wrapped(_ieee(_divide, np.divide)),
    Op.REM: _wrapped(_ieee(_remainder, np.remainder)),
    Op.NEG: _wrapped(operator.neg),
    Op.ABS: _wrapped(abs),
    Op.SQRT: _ieee(math.sqrt, np.sqrt),
    Op.EXP: _ieee(math.exp, np.exp),
    Op.LOG: _ieee(math.log, np.log),
    Op.SIN: _ieee(math.sin, np.sin),
    Op.COS: _ieee(math.cos, np.cos),
    Op.TANH: math.tanh,
    Op.POW: _ieee(_power, np.power),
    Op.MAX: _larger,
    Op.MIN: _smaller,
    Op.FLOOR: _ieee(_floor, np.floor),
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.EQ: operator.eq,
    Op.WHERE: lambda c, a, b: a if c else b,
}


def is_host(op: Op, result: Type, operands: tuple[Type, ...]) -> bool:
    """Whether an instruction with host scalars for operands gives a host scalar."""
    scalars = all(not t.shape and t.dtype in HOST for t in (result, *operands))
    return scalars and op in SCALAR and not (op is Op.FLOOR and result.dtype is not DType.F64)


def cast_scalar(value: Any, dtype: DType) -> Any:
    """A host scalar in another host format."""
    if dtype is DType.BOOL:
        return bool(value)
    return float(value) if dtype is DType.F64 else int(value)
