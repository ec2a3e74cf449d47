"""Activations and weighted sums, and their gradients. Formulas are PyTorch's, of the operations of the same names."""

from __future__ import annotations

import math
from collections.abc import Callable

from ontogeny.isa import attrs
from ontogeny.isa.macros.maker import Definition, Maker
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.isa.types import UNSIGNED

SQRT_HALF = math.sqrt(0.5)
PDF_SCALE = 1 / math.sqrt(2 * math.pi)
TANH_SCALE = math.sqrt(2 / math.pi)
TANH_CUBE = 0.044715


def plain(function: Callable[..., str]) -> Definition:
    """The definition of a function of the maker and the operands alone."""

    def definition(m: Maker, _: Instr, args: tuple[str, ...]) -> str:
        return function(m, *args)

    return definition


def nand(m: Maker, a: str, b: str) -> str:
    """not (a and b)"""
    return m(Op.NOT, m(Op.AND, a, b))


def sign(m: Maker, a: str) -> str:
    """-1, 0 or 1; what is neither above nor below zero stays, so NaN does."""
    above = m.where(m(Op.LT, 0, a), 1, a)
    return above if m.dtype(a) in UNSIGNED else m.where(m(Op.LT, a, 0), -1, above)


def reciprocal(m: Maker, a: str) -> str:
    """1 / a"""
    return m.div(1, a)


def rsqrt(m: Maker, a: str) -> str:
    """1 / sqrt(a)"""
    return m.div(1, m(Op.SQRT, a))


def relu(m: Maker, a: str) -> str:
    """max(a, 0)"""
    return m(Op.MAX, a, 0)


def relu_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """g unless a <= threshold, so that a NaN in a lets g pass, as torch's threshold_backward does."""
    g, a = args
    return m.where(m(Op.LE, a, attrs.number(instr, "threshold")), 0, g)


def sigmoid(m: Maker, a: str) -> str:
    """1 / (1 + exp(-a))"""
    return m.div(1, m.add(1, m(Op.EXP, m(Op.NEG, a))))


def sigmoid_backward(m: Maker, g: str, y: str) -> str:
    """g * y * (1 - y)"""
    return m.mul(m.mul(g, m.sub(1, y)), y)


def tanh_backward(m: Maker, g: str, y: str) -> str:
    """g * (1 - y * y)"""
    return m.mul(g, m.sub(1, m.mul(y, y)))


def silu(m: Maker, a: str) -> str:
    """a / (1 + exp(-a))"""
    return m.div(a, m.add(1, m(Op.EXP, m(Op.NEG, a))))


def silu_backward(m: Maker, g: str, a: str) -> str:
    """g * s * (1 + a * (1 - s))"""
    s = sigmoid(m, a)
    return m.mul(m.mul(g, s), m.add(1, m.mul(a, m.sub(1, s))))


def gelu(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """a * Phi(a), or its approximation by tanh (Hendrycks and Gimpel, 2016)."""
    (a,) = args
    if attrs.text(instr, "approximate") == "tanh":
        return m.mul(m.mul(0.5, a), m.add(1, m(Op.TANH, _inner(m, a))))
    return m.mul(a, _phi(m, a))


def gelu_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """g * (Phi(a) + a * phi(a)), or the derivative of the approximation."""
    g, a = args
    if attrs.text(instr, "approximate") == "tanh":
        return m.mul(g, _tanh_slope(m, a))
    density = m.mul(m(Op.EXP, m.mul(m.mul(a, a), -0.5)), PDF_SCALE)
    return m.mul(g, m.add(_phi(m, a), m.mul(a, density)))


def _phi(m: Maker, a: str) -> str:
    return m.mul(0.5, m.add(1, m(Op.ERF, m.mul(a, SQRT_HALF))))


def _inner(m: Maker, a: str) -> str:
    cube = m.mul(m.mul(a, a), a)
    return m.mul(TANH_SCALE, m.add(a, m.mul(TANH_CUBE, cube)))


def _tanh_slope(m: Maker, a: str) -> str:
    t = m(Op.TANH, _inner(m, a))
    inner_slope = m.mul(TANH_SCALE, m.add(1, m.mul(3 * TANH_CUBE, m.mul(a, a))))
    right = m.mul(m.mul(m.mul(0.5, a), m.sub(1, m.mul(t, t))), inner_slope)
    return m.add(m.mul(0.5, m.add(1, t)), right)


def lerp(m: Maker, a: str, b: str, w: str) -> str:
    """a + w * (b - a) for |w| < 0.5, else b - (b - a) * (1 - w)."""
    w = m.cast(w, m.dtype(a))
    apart = m.sub(b, a)
    near = m.add(a, m.mul(w, apart))
    far = m.sub(b, m.mul(apart, m.sub(1, w)))
    return m.where(m(Op.LT, m(Op.ABS, w), 0.5), near, far)


def addcmul(m: Maker, a: str, b: str, c: str, value: str) -> str:
    """a + value * b * c"""
    return m.add(a, m.mul(m.mul(m.cast(value, m.dtype(a)), b), c))


def addcdiv(m: Maker, a: str, b: str, c: str, value: str) -> str:
    """a + value * b / c"""
    return m.add(a, m.div(m.mul(m.cast(value, m.dtype(a)), b), c))


def axpy(m: Maker, a: str, b: str, value: str) -> str:
    """a + value * b"""
    return m.add(a, m.mul(m.cast(value, m.dtype(a)), b))


def scale(m: Maker, a: str, value: str) -> str:
    """a * value"""
    return m.mul(a, m.cast(value, m.dtype(a)))


def linear(m: Maker, a: str, b: str, c: str) -> str:
    """a + b @ c"""
    return m.add(a, m(Op.DOT, b, c))


DEFINITIONS: dict[Op, Definition] = {
    Op.NAND: plain(nand),
    Op.SIGN: plain(sign),
    Op.RSQRT: plain(rsqrt),
    Op.RECIPROCAL: plain(reciprocal),
    Op.RELU: plain(relu),
    Op.RELU_BACKWARD: relu_backward,
    Op.SIGMOID: plain(sigmoid),
    Op.SIGMOID_BACKWARD: plain(sigmoid_backward),
    Op.TANH_BACKWARD: plain(tanh_backward),
    Op.SILU: plain(silu),
    Op.SILU_BACKWARD: plain(silu_backward),
    Op.GELU: gelu,
    Op.GELU_BACKWARD: gelu_backward,
    Op.LERP: plain(lerp),
    Op.ADDCMUL: plain(addcmul),
    Op.ADDCDIV: plain(addcdiv),
    Op.AXPY: plain(axpy),
    Op.SCALE: plain(scale),
    Op.LINEAR: plain(linear),
}
