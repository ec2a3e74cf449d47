"""How each base operation carries the parts of its operands: one table keyed by operation.

An operation that is not in it is nonlinear: its result is a coefficient, or is shared in proportion to its one operand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np

from ontogeny.ask.parts import (
    NOISE,
    Remark,
    Source,
    Value,
    added,
    chosen,
    clipped,
    from_source,
    mapped,
    shared,
    times,
)
from ontogeny.data.base import Array
from ontogeny.isa import attrs
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.machine.reference import MEANING
from ontogeny.machine.reference.execution import Execution

Values = tuple[Value, ...]
Carry = Callable[[Instr, Array, Values, Remark], Value]
NOWHERE = cast(Execution, None)
"""No meaning of a plain operation looks at its execution."""


def carried(instr: Instr, operands: Values, remark: Remark) -> tuple[Value, ...]:
    """The results of a plain operation, or of `sign`, on divided values; floats are computed in f64."""
    totals = applied(instr, *(operand.total for operand in operands))
    if len(totals) == 1:
        return (CARRY.get(instr.op, nonlinear)(instr, totals[0], operands, remark),)
    return tuple(nonlinear(instr, total, operands, remark) for total in totals)


def applied(instr: Instr, *operands: Array) -> tuple[Array, ...]:
    """What an operation computes, floats in f64 whatever their format was."""
    if instr.op is Op.SIGN:
        return (np.sign(operands[0]),)
    if instr.op is Op.CONST and attrs.dtype(instr).is_float:
        return (_constant(instr),)
    if instr.op is Op.CAST and attrs.dtype(instr).is_float:
        return (np.asarray(operands[0]).astype(np.float64),)
    results = MEANING[instr.op](NOWHERE, instr, operands) or ()
    return tuple(wide(result) for result in results)


def wide(array: Array) -> Array:
    """Floats as f64, everything else as it is; bf16 is a float although NumPy does not know it."""
    array = np.asarray(array)
    return array.astype(np.float64) if array.dtype.kind not in "biu" else array


def _constant(instr: Instr) -> Array:
    shape, numbers = attrs.ints(instr, "shape"), np.asarray(attrs.numbers(instr, "value"), np.float64)
    return np.broadcast_to(numbers, shape) if numbers.ndim == 0 else numbers.reshape(shape)


def _one(instr: Instr, *operands: Array) -> Array:
    return applied(instr, *operands)[0]


def nonlinear(instr: Instr, total: Array, operands: Values, remark: Remark) -> Value:
    """Whatever is not linear in anything."""
    sources = frozenset[Source]().union(*(operand.sources for operand in operands))
    divided = [operand for operand in operands if operand.divided]
    argument = divided[0] if len(divided) == 1 else None
    return shared(total, sources, argument and (argument.argument or argument), remark)


def add(_: Instr, total: Array, operands: Values, __: Remark) -> Value:
    """Parts add up."""
    return added(total, list(operands))


def subtract(_: Instr, total: Array, operands: Values, __: Remark) -> Value:
    """The second one's parts with the other sign."""
    a, b = operands
    return added(total, [a, opposite(b)])


def opposite(value: Value) -> Value:
    """The value with the other sign."""
    return mapped(np.negative(value.total), value, np.negative)


def multiply(instr: Instr, total: Array, operands: Values, remark: Remark) -> Value:
    """Linear in each of two, a product or a matrix product."""
    a, b = operands
    return times(total, a, b, lambda left, right: _one(instr, left, right), remark)


def divide(instr: Instr, total: Array, operands: Values, remark: Remark) -> Value:
    """Linear above, a coefficient below."""
    a, b = operands
    if not a.divided:
        return shared(total, b.sources, b, remark)
    return mapped(total, a, lambda part: _one(instr, part, b.total))


def through(instr: Instr, total: Array, operands: Values, _: Remark) -> Value:
    """Linear in the first operand; the others are places."""
    first, *places = operands
    return mapped(total, first, lambda part: _one(instr, part, *(place.total for place in places)))


def convert(instr: Instr, total: Array, operands: Values, remark: Remark) -> Value:
    """Between numbers of any width nothing changes; rounding is another line."""
    (a,) = operands
    linear = a.total.dtype.kind == "f" and total.dtype.kind == "f"
    return mapped(total, a, np.asarray) if linear else nonlinear(instr, total, operands, remark)


def joined(instr: Instr, total: Array, operands: Values, _: Remark) -> Value:
    """Each operand's parts at its own place."""
    dim, terms, start = attrs.integer(instr, "dim"), [], 0
    for operand in operands:
        stop = start + operand.total.shape[dim]
        at = (*(slice(None),) * dim, slice(start, stop))
        terms.append(_placed(operand, total, at))
        start = stop
    return added(total, terms)


def _placed(value: Value, total: Array, at: tuple[slice, ...]) -> Value:
    def put(part: Array) -> Array:
        whole = np.zeros(total.shape)
        whole[at] = part
        return whole

    if value.divided:
        return mapped(total, value, put)
    return Value(put(value.total))


def padded(instr: Instr, total: Array, operands: Values, _: Remark) -> Value:
    """Zeros around each part, and the rest from nowhere."""
    (a,) = operands
    inside = tuple(slice(low, low + size) for low, size in zip(attrs.ints(instr, "low"), a.total.shape, strict=True))
    around = np.array(total, copy=True)
    around[inside] = 0.0
    return added(total, [_placed(a, total, inside), Value(around)])


def either(_: Instr, total: Array, operands: Values, remark: Remark) -> Value:
    """One of two by a condition; a condition between constants is what matters itself."""
    holds, a, b = operands
    if not (a.divided or b.divided):
        return shared(total, holds.sources, holds.argument, remark)
    if holds.total.size == 1:
        one = a if holds.total.item() else b
        return mapped(total, one, lambda part: np.broadcast_to(part, total.shape)) if one.divided else Value(total)
    return chosen(total, holds.total.astype(bool), a, b)


def compare(_: Instr, total: Array, operands: Values, remark: Remark) -> Value:
    """A bool, which goes by the difference of the two."""
    a, b = operands
    if a.total.dtype.kind == "b" or not (a.divided or b.divided):
        return shared(total, a.sources | b.sources, None, remark)
    with np.errstate(all="ignore"):
        apart = added(wide(a.total - b.total), [a, opposite(b)])
    return shared(total, apart.sources, apart, remark)


def extreme(instr: Instr, total: Array, operands: Values, _: Remark) -> Value:
    """A gradient between bounds is clipped; else whichever of the two was taken. min(factor of gradients, 1) bounds."""
    a, b = operands
    one, other = (a, b) if a.divided else (b, a)
    if one.gradients and one.linear and not other.divided:
        return clipped(total, one)
    found = chosen(total, a.total == total, a, b)
    found.bound = instr.op is Op.MIN and total.size == 1 and one.gradients and not other.divided
    return found


def noise(_: Instr, total: Array, __: Values, ___: Remark) -> Value:
    """Random bits are a source of their own, whatever key they are drawn by."""
    found = from_source(Source(NOISE), total)
    found.linear = False
    return found


def scattered(instr: Instr, total: Array, operands: Values, _: Remark) -> Value:
    """Linear in what is written into and in what is written."""
    a, b, *places = operands
    where = [place.total for place in places]
    kept = _one(instr, a.total, np.zeros_like(b.total), *where)
    first = mapped(kept, a, lambda part: _one(instr, part, np.zeros_like(b.total), *where))
    second = mapped(total, b, lambda part: _one(instr, np.zeros_like(a.total), part, *where))
    return added(total, [first if a.divided else Value(kept), second if b.divided else Value(total - kept)])


def run(instr: Instr, total: Array, operands: Values, remark: Remark) -> Value:
    """Running sums are linear, running products and maxima are not."""
    linear = attrs.text(instr, "kind") == "add"
    return (through if linear else nonlinear)(instr, total, operands, remark)


CARRY: dict[Op, Carry] = {
    Op.ADD: add,
    Op.SUB: subtract,
    Op.NEG: through,
    Op.MUL: multiply,
    Op.DOT: multiply,
    Op.DIV: divide,
    Op.CAST: convert,
    Op.WHERE: either,
    Op.MAX: extreme,
    Op.MIN: extreme,
    Op.RAND_BITS: noise,
    Op.SCAN: run,
    Op.CAT: joined,
    Op.PAD: padded,
    Op.SCATTER_ADD: scattered,
    Op.SCATTER_SET: scattered,
    **dict.fromkeys((Op.LT, Op.LE, Op.EQ), compare),
    **dict.fromkeys((Op.RESHAPE, Op.PERMUTE, Op.BROADCAST, Op.SLICE, Op.FLIP, Op.WINDOW), through),
    **dict.fromkeys((Op.SUM, Op.GATHER, Op.PROBE), through),
}
