"""Mean, variance, softmax, layer and batch norm, and their gradients."""

from __future__ import annotations

from math import prod

from ontogeny.isa import attrs
from ontogeny.isa.macros.maker import Definition, Maker, Results
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr


def mean(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """The sum divided by the count."""
    return _mean(m, args[0], attrs.ints(instr, "dims"), attrs.flag(instr, "keep"))


def variance(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """The mean of squared distances from the mean, of a count lowered by {correction} but not below 0."""
    (a,) = args
    dims = attrs.ints(instr, "dims")
    apart = m.sub(a, _mean(m, a, dims, keep=True))
    squares = m.sum(m.mul(apart, apart), dims, attrs.flag(instr, "keep"))
    return m.div(squares, max(0.0, _count(m, a, dims) - float(attrs.number(instr, "correction"))))


def _count(m: Maker, a: str, dims: tuple[int, ...]) -> int:
    return prod(m.shape(a)[dim] for dim in dims)


def _mean(m: Maker, a: str, dims: tuple[int, ...], keep: bool) -> str:
    return m.div(m.sum(a, dims, keep), _count(m, a, dims))


def softmax(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """exp(a - max) / sum"""
    (a,) = args
    dim = attrs.integer(instr, "dim")
    if not m.shape(a)[dim]:
        return a
    powers = m(Op.EXP, _below_max(m, a, dim))
    return m.div(powers, m.sum(powers, (dim,), keep=True))


def log_softmax(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """a - max - log(sum(exp(a - max)))"""
    (a,) = args
    dim = attrs.integer(instr, "dim")
    if not m.shape(a)[dim]:
        return a
    below = _below_max(m, a, dim)
    return m.sub(below, m(Op.LOG, m.sum(m(Op.EXP, below), (dim,), keep=True)))


def _below_max(m: Maker, a: str, dim: int) -> str:
    return m.sub(a, m(Op.REDUCE_MAX, a, dims=(dim,), keep=True))


def softmax_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """y * (g - sum(g * y))"""
    g, y = args
    product = m.mul(g, y)
    return m.sub(product, m.mul(y, m.sum(product, (attrs.integer(instr, "dim"),), keep=True)))


def log_softmax_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """g - exp(y) * sum(g)"""
    g, y = args
    return m.sub(g, m.mul(m(Op.EXP, y), m.sum(g, (attrs.integer(instr, "dim"),), keep=True)))


def layer_norm(m: Maker, instr: Instr, args: tuple[str, ...]) -> Results:
    """(a) or (a, w, b) -> y, mean and rstd over the last dimensions."""
    a, *affine = args
    dims = _last(m, a, instr)
    centre = _mean(m, a, dims, keep=True)
    apart = m.sub(a, centre)
    rstd = _rstd(m, _mean(m, m.mul(apart, apart), dims, keep=True), instr)
    y = m.mul(apart, rstd)
    return (m.add(m.mul(y, affine[0]), affine[1]) if affine else y), centre, rstd


def _last(m: Maker, a: str, instr: Instr) -> tuple[int, ...]:
    rank = len(m.shape(a))
    return tuple(range(rank - attrs.integer(instr, "rank"), rank))


def _rstd(m: Maker, spread: str, instr: Instr) -> str:
    return m.div(1, m(Op.SQRT, m.add(spread, attrs.number(instr, "eps"))))


def layer_norm_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> Results:
    """(g, a, mean, rstd) -> da; with w also dw and db.

    With x = (a - mean) * rstd and h = g * w over n elements: da = rstd * (h - mean(h) - x * mean(h * x)).
    """
    g, a, centre, rstd, *weight = args
    dims = _last(m, a, instr)
    x = m.mul(m.sub(a, centre), rstd)
    h = m.mul(g, weight[0]) if weight else g
    inner = m.sub(m.sub(h, _mean(m, h, dims, keep=True)), m.mul(x, _mean(m, m.mul(h, x), dims, keep=True)))
    da = m.mul(rstd, inner)
    if not weight:
        return da
    outer = tuple(range(dims[0]))
    return da, m.sum(m.mul(g, x), outer), m.sum(g, outer)


def batch_norm(m: Maker, instr: Instr, args: tuple[str, ...]) -> Results:
    """(a, w, b, running mean, running variance) -> y, mean, rstd, new running mean, new running variance.

    The running variance takes in the batch's with n - 1 for its count, as torch's does. Out of training the mean and
    rstd given are those of the running statistics.
    """
    a, w, b, running_mean, running_variance = args
    if not attrs.flag(instr, "train"):
        rstd = _rstd(m, running_variance, instr)
        y = _normalised(m, a, running_mean, rstd)
        return _affine(m, y, w, b), running_mean, rstd, running_mean, running_variance
    dims = _all_but_one(m, a)
    count = _count(m, a, dims)
    centre = m.div(m.sum(a, dims), count)
    apart = m.sub(a, _channel(m, centre, a))
    squares = m.sum(m.mul(apart, apart), dims)
    rstd = _rstd(m, m.div(squares, count), instr)
    y = m.mul(apart, _channel(m, rstd, a))
    mixed = (
        _mixed(m, running_mean, centre, instr),
        _mixed(m, running_variance, m.div(squares, count - 1), instr),
    )
    return _affine(m, y, w, b), centre, rstd, *mixed


def batch_norm_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> Results:
    """(g, a, w, running mean, running variance, mean, rstd) -> da, dw, db.

    In training, with x = (a - mean) * rstd: da = (g - mean(g) - x * mean(g * x)) * rstd * w; else da = g * rstd * w
    of the running statistics.
    """
    g, a, w, running_mean, running_variance, centre, rstd = args
    train = attrs.flag(instr, "train")
    if not train:
        centre, rstd = running_mean, _rstd(m, running_variance, instr)
    dims = _all_but_one(m, a)
    count = _count(m, a, dims)
    x = _normalised(m, a, centre, rstd)
    db, dw = m.sum(g, dims), m.sum(m.mul(g, x), dims)
    inner = g
    if train:
        shift, lean = (_channel(m, m.div(total, count), a) for total in (db, dw))
        inner = m.sub(m.sub(g, shift), m.mul(x, lean))
    return m.mul(inner, _channel(m, m.mul(rstd, w), a)), dw, db


def _all_but_one(m: Maker, a: str) -> tuple[int, ...]:
    return tuple(dim for dim in range(len(m.shape(a))) if dim != 1)


def _channel(m: Maker, value: str, a: str) -> str:
    """[c] as [c, 1, ...], to be stretched over a."""
    return m.reshape(value, *m.shape(value), *(1,) * (len(m.shape(a)) - 2))


def _normalised(m: Maker, a: str, centre: str, rstd: str) -> str:
    return m.mul(m.sub(a, _channel(m, centre, a)), _channel(m, rstd, a))


def _affine(m: Maker, y: str, w: str, b: str) -> str:
    return m.add(m.mul(y, _channel(m, w, y)), _channel(m, b, y))


def _mixed(m: Maker, running: str, new: str, instr: Instr) -> str:
    momentum = float(attrs.number(instr, "momentum"))
    return m.add(m.mul(running, 1 - momentum), m.mul(new, momentum))


DEFINITIONS: dict[Op, Definition] = {
    Op.MEAN: mean,
    Op.VARIANCE: variance,
    Op.SOFTMAX: softmax,
    Op.SOFTMAX_BACKWARD: softmax_backward,
    Op.LOG_SOFTMAX: log_softmax,
    Op.LOG_SOFTMAX_BACKWARD: log_softmax_backward,
    Op.LAYER_NORM: layer_norm,
    Op.LAYER_NORM_BACKWARD: layer_norm_backward,
    Op.BATCH_NORM: batch_norm,
    Op.BATCH_NORM_BACKWARD: batch_norm_backward,
}
