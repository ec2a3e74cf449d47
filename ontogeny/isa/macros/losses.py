"""Negative log-likelihood, the gradient of embeddings, and uniform random numbers."""

from __future__ import annotations

from ontogeny.isa import attrs
from ontogeny.isa.macros.maker import Definition, Maker, Results
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.isa.types import DType


def nll_loss(m: Maker, instr: Instr, args: tuple[str, ...]) -> Results:
    """(a, target) -> the mean over the targets that count, NaN of none; and their count."""
    a, target = args
    rows, valid, safe = _targets(m, instr, target)
    picked = m.where(valid, m(Op.GATHER, a, rows, safe), 0)
    count = m.sum(m.cast(valid, m.dtype(a)), (0,))
    return m.div(m(Op.NEG, m.sum(picked, (0,))), count), count


def nll_loss_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """(g, a, target, count) -> -g / count at each target that counts, else 0."""
    g, a, target, count = args
    rows, valid, safe = _targets(m, instr, target)
    shares = m.where(valid, m(Op.NEG, m.div(g, count)), 0)
    return m(Op.SCATTER_SET, m.zeros(a, m.shape(a)), shares, rows, safe)


def _targets(m: Maker, instr: Instr, target: str) -> tuple[str, str, str]:
    """Rows, whether each counts, and the targets with 0 for those that do not."""
    valid = m(Op.NOT, m(Op.EQ, target, attrs.integer(instr, "ignore")))
    return m.iota(m.shape(target), 0), valid, m.where(valid, target, 0)


def embedding_backward(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """(g, index) -> rows of g summed by index; a {padding} of -1 means no row."""
    g, index = args
    padding, row = attrs.integer(instr, "padding"), m.shape(g)[len(m.shape(index)) :]
    if padding >= 0:
        left_out = m(Op.EQ, index, padding)
        g = m.where(m.reshape(left_out, *m.shape(index), *(1,) * len(row)), 0, g)
    return m(Op.SCATTER_ADD, m.zeros(g, (attrs.integer(instr, "rows"), *row)), g, index)


def uniform(m: Maker, instr: Instr, args: tuple[str, ...]) -> str:
    """The top 24 bits as a fraction, exact in f32."""
    bits = m(Op.RAND_BITS, *args, shape=attrs.ints(instr, "shape"), site=attrs.integer(instr, "site"))
    return m.mul(m.cast(m(Op.SHR, bits, 8), DType.F32), 2.0**-24)


DEFINITIONS: dict[Op, Definition] = {
    Op.NLL_LOSS: nll_loss,
    Op.NLL_LOSS_BACKWARD: nll_loss_backward,
    Op.EMBEDDING_BACKWARD: embedding_backward,
    Op.UNIFORM: uniform,
}
