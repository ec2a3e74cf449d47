"""ATen's less common functions of one or two numbers, in operations that the language has.

Not here, since nothing in the language can say them: the inverse trigonometric functions, gamma and Bessel functions.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log
from typing import Any

from ontogeny.front.aten.table import Context, Handler, Meta
from ontogeny.front.author import Value, where
from ontogeny.isa.op import Op

Function = Callable[[Value], Value]


def _of_one(function: Function) -> Handler:
    def handler(ctx: Context, meta: Meta, a: Value, **_: Any) -> Value:
        return function(a.cast(meta.type.dtype))

    return handler


def _test(function: Function) -> Handler:
    return lambda ctx, meta, a: function(a)


def expm1(a: Value) -> Value:
    """exp(a) - 1 without cancellation: tanh(a / 2) * (exp(a) + 1)."""
    return (a * 0.5).op(Op.TANH) * (a.exp() + 1.0)


def ceil(a: Value) -> Value:
    """The smallest whole number not below."""
    return -((-a).op(Op.FLOOR))


def trunc(a: Value) -> Value:
    """Rounded towards zero."""
    return where(a < 0, ceil(a), a.op(Op.FLOOR))


def rounded(a: Value) -> Value:
    """The nearest whole number, a half to the even one."""
    low = a.op(Op.FLOOR)
    rest = a - low
    even = low + low.op(Op.REM, 2.0)
    return where(rest.equals(0.5), even, where(rest > 0.5, low + 1.0, low))


def asinh(a: Value) -> Value:
    """The inverse hyperbolic sine."""
    size = abs(a)
    return a.sign() * (size + (size * size + 1.0).sqrt()).log()


def _fmod(ctx: Context, meta: Meta, a: Value, b: Value | float) -> Value:
    """The remainder with the sign of a."""
    divisor = abs(b.cast(meta.type.dtype)) if isinstance(b, Value) else abs(b)
    return a.sign() * abs(a).op(Op.REM, divisor)


def _hypot(ctx: Context, meta: Meta, a: Value, b: Value) -> Value:
    return (a * a + b * b).sqrt()


def _shrink_backward(ctx: Context, meta: Meta, g: Value, a: Value, bound: float) -> Value:
    """Of hardshrink and softshrink alike."""
    return where(abs(a) <= bound, ctx.full(0.0, g.type), g)


FUNCTIONS: dict[str, Handler] = {
    "expm1": _of_one(expm1),
    "exp2": _of_one(lambda a: (a * log(2.0)).exp()),
    "log2": _of_one(lambda a: a.log() / log(2.0)),
    "log10": _of_one(lambda a: a.log() / log(10.0)),
    "tan": _of_one(lambda a: a.op(Op.SIN) / a.cos()),
    "sinh": _of_one(lambda a: (expm1(a) - expm1(-a)) * 0.5),
    "cosh": _of_one(lambda a: (a.exp() + (-a).exp()) * 0.5),
    "asinh": _of_one(asinh),
    "acosh": _of_one(lambda a: (a + (a * a - 1.0).sqrt()).log()),
    "atanh": _of_one(lambda a: ((1.0 + a) / (1.0 - a)).log() * 0.5),
    "erfc": _of_one(lambda a: 1.0 - a.op(Op.ERF)),
    "ceil": _of_one(ceil),
    "trunc": _of_one(trunc),
    "round": _of_one(rounded),
    "frac": _of_one(lambda a: a - trunc(a)),
    "signbit": _test(lambda a: a < 0),
    "isnan": _test(lambda a: ~a.equals(a)),
    "isinf": _test(lambda a: abs(a).equals(inf)),
    "isfinite": _test(lambda a: abs(a) < inf),
    "fmod.Tensor": _fmod,
    "fmod.Scalar": _fmod,
    "fmod": _fmod,
    "hypot": _hypot,
    "hardshrink_backward": _shrink_backward,
    "softshrink_backward": _shrink_backward,
}
