"""Convolution and pooling in any number of dimensions, and their gradients.

A convolution is a matrix product with the windows of its padded operand; its gradient for that operand adds each
window's share back to where the window lay (`fold`).
"""

from __future__ import annotations

from math import inf, prod

from ontogeny.isa import attrs
from ontogeny.isa.macros.maker import Definition, Maker, Results
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.isa.types import DType

Shape = tuple[int, ...]


def pad(m: Maker, a: str, padding: Shape, value: float) -> str:
    """`value` before and after in the last dimensions."""
    if not any(padding):
        return a
    around = (0,) * (len(m.shape(a)) - len(padding)) + padding
    return m(Op.PAD, a, low=around, high=around, value=value if m.dtype(a).is_float else int(value))


def windows(m: Maker, a: str, size: Shape, stride: Shape, dilation: Shape) -> str:
    """[..., d...] -> [..., o..., k...]"""
    return m(Op.WINDOW, a, size=size, stride=stride, dilation=dilation)


def fold(m: Maker, shares: str, sizes: Shape, stride: Shape, padding: Shape, dilation: Shape) -> str:
    """Shares [lead..., o..., k...] of windows summed to [lead..., sizes...]: the gradient of `pad`, then `windows`."""
    count = len(sizes)
    lead = len(m.shape(shares)) - 2 * count
    moved = m.permute(shares, *range(lead, lead + 2 * count), *range(lead))
    where = m.shape(moved)[: 2 * count]
    indices = [
        m.add(m.mul(m.iota(where, dim), stride[dim]), m.mul(m.iota(where, count + dim), dilation[dim]))
        for dim in range(count)
    ]
    padded = tuple(size + 2 * more for size, more in zip(sizes, padding, strict=True))
    empty = m.zeros(shares, (*padded, *m.shape(shares)[:lead]))
    total = m(Op.SCATTER_ADD, empty, moved, *indices)
    back = m.permute(total, *range(count, count + lead), *range(count))
    return _cropped(m, back, sizes, padding) if any(padding) else back


def _cropped(m: Maker, a: str, sizes: Shape, padding: Shape) -> str:
    lead = m.shape(a)[: len(m.shape(a)) - len(sizes)]
    starts = (*(0 for _ in lead), *padding)
    stops = (*lead, *(size + more for size, more in zip(sizes, padding, strict=True)))
    return m(Op.SLICE, a, starts=starts, stops=stops, steps=(1,) * len(starts))


class Convolution:
    """The sizes of one convolution, and its operands as matrices, one for each group."""

    def __init__(self, m: Maker, instr: Instr, a: str, w: str) -> None:
        self.m, self.a, self.w = m, a, w
        self.stride, self.padding, self.dilation = (
            attrs.ints(instr, name) for name in ("stride", "padding", "dilation")
        )
        self.groups = attrs.integer(instr, "groups")
        self.batch, self.channels = m.shape(a)[:2]
        self.outs, self.inner, *kernel = m.shape(w)
        self.kernel = tuple(kernel)
        self.count = len(kernel)

    def patches(self) -> tuple[str, Shape]:
        """[groups, n * places, c / groups * kernel], and the places in each dimension."""
        m, count = self.m, self.count
        padded = pad(m, self.a, self.padding, 0.0)
        found = windows(m, padded, self.kernel, self.stride, self.dilation)
        where = m.shape(found)[2 : 2 + count]
        split = m.reshape(found, self.batch, self.groups, self.inner, *where, *self.kernel)
        places = range(3, 3 + count)
        moved = m.permute(split, 1, 0, *places, 2, *range(3 + count, 3 + 2 * count))
        return m.reshape(moved, self.groups, self.batch * prod(where), self.inner * prod(self.kernel)), where

    def weights(self) -> str:
        """[groups, o / groups, c / groups * kernel]"""
        return self.m.reshape(self.w, self.groups, self.outs // self.groups, self.inner * prod(self.kernel))

    def gathered(self, g: str) -> str:
        """A gradient [n, o, places...] as [groups, n * places, o / groups]."""
        m = self.m
        where = m.shape(g)[2:]
        split = m.reshape(g, self.batch, self.groups, self.outs // self.groups, prod(where))
        return m.reshape(m.permute(split, 1, 0, 3, 2), self.groups, self.batch * prod(where), self.outs // self.groups)

    def spread(self, rows: str, where: Shape) -> str:
        """[groups, n * places, o / groups] as [n, o, places...]: the inverse of `gathered`."""
        m = self.m
        split = m.reshape(rows, self.groups, self.batch, prod(where), self.outs // self.groups)
        return m.reshape(m.permute(split, 1, 0, 3, 2), self.batch, self.outs, *where)


def conv(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """(a, w) or (a, w, bias) -> y"""
    a, w, *bias = args
    c = Convolution(m, instr, a, w)
    patches, where = c.patches()
    y = c.spread(m(Op.DOT, patches, m.permute(c.weights(), 0, 2, 1)), where)
    return m.add(y, m.reshape(bias[0], c.outs, *(1,) * c.count)) if bias else y


def conv_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> Results:
    """(g, a, w) -> da, dw, dbias"""
    g, a, w = args
    c = Convolution(m, instr, a, w)
    patches, where = c.patches()
    rows = c.gathered(g)
    dw = m.reshape(m(Op.DOT, m.permute(rows, 0, 2, 1), patches), *m.shape(w))
    split = m.reshape(m(Op.DOT, rows, c.weights()), c.groups, c.batch, *where, c.inner, *c.kernel)
    places = range(2, 2 + c.count)
    moved = m.permute(split, 1, 0, 2 + c.count, *places, *range(3 + c.count, 3 + 2 * c.count))
    shares = m.reshape(moved, c.batch, c.channels, *where, *c.kernel)
    da = fold(m, shares, m.shape(a)[2:], c.stride, c.padding, c.dilation)
    return da, dw, m.sum(g, (0, *range(2, 2 + c.count)))


def max_pool(m: Maker, instr: Instr, args: tuple[str, ...]) -> Results:
    """(a) -> y, and the flat place of the first largest element in its plane, which is never one of the padding."""
    (a,) = args
    size, stride, padding = (attrs.ints(instr, name) for name in ("size", "stride", "padding"))
    once = (1,) * len(size)
    sizes = m.shape(a)[len(m.shape(a)) - len(size) :]
    lead = m.shape(a)[: len(m.shape(a)) - len(size)]
    plane = m.reshape(m.iota((prod(sizes),), 0), *sizes)
    flat = windows(m, pad(m, plane, padding, -1), size, stride, once)
    where = m.shape(flat)[: len(size)]
    flat = m.reshape(flat, prod(where), prod(size))
    found = windows(m, pad(m, a, padding, -inf), size, stride, once)
    found = m.reshape(found, prod(lead), prod(where), prod(size))
    largest = m(Op.REDUCE_MAX, found, dims=(2,), keep=True)
    first = m(Op.ARGMAX, m.cast(_hits(m, found, largest, flat), DType.I32), dim=2, keep=False)
    places = m(Op.GATHER, flat, m.iota((prod(where),), 0), first)
    return m.reshape(largest, *lead, *where), m.reshape(places, *lead, *where)


def _hits(m: Maker, found: str, largest: str, flat: str) -> str:
    """Where a window's element is its largest, or NaN, and not padding."""
    hit = m(Op.OR, m(Op.EQ, found, largest), m(Op.NOT, m(Op.EQ, found, found)))
    return m(Op.AND, hit, m(Op.LE, 0, flat))


def max_pool_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """(g, a, places) -> da"""
    g, a, places = args
    count = len(attrs.ints(instr, "size"))
    lead = m.shape(a)[: len(m.shape(a)) - count]
    planes, inside = prod(lead), prod(m.shape(g)[len(lead) :])
    rows = m.iota((planes, inside), 0)
    empty = m.zeros(g, (planes, prod(m.shape(a)[len(lead) :])))
    shares, where = m.reshape(g, planes, inside), m.reshape(places, planes, inside)
    return m.reshape(m(Op.SCATTER_ADD, empty, shares, rows, where), *m.shape(a))


def avg_pool(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """(a) -> y, padding counted"""
    (a,) = args
    size, stride, padding = (attrs.ints(instr, name) for name in ("size", "stride", "padding"))
    rank = len(m.shape(a))
    found = windows(m, pad(m, a, padding, 0.0), size, stride, (1,) * len(size))
    return m.div(m.sum(found, range(rank, rank + len(size))), prod(size))


def avg_pool_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """(g, a) -> da"""
    g, a = args
    size, stride, padding = (attrs.ints(instr, name) for name in ("size", "stride", "padding"))
    share = m.div(g, prod(size))
    shares = m.stretch(m.reshape(share, *m.shape(g), *(1,) * len(size)), (*m.shape(g), *size))
    sizes = m.shape(a)[len(m.shape(a)) - len(size) :]
    return fold(m, shares, sizes, stride, padding, (1,) * len(size))


DEFINITIONS: dict[Op, Definition] = {
    Op.CONV: conv,
    Op.CONV_BACKWARD: conv_backward,
    Op.MAX_POOL: max_pool,
    Op.MAX_POOL_BACKWARD: max_pool_backward,
    Op.AVG_POOL: avg_pool,
    Op.AVG_POOL_BACKWARD: avg_pool_backward,
}
