"""Slots of f64 for numba, written as LLVM vectors: one register element of many tasks at once, a task to a lane.

A slot is one opaque item of a byte-string array, as in `vectors.py`: `S128` is 16 tasks. Operands are loaded whole
before a result is stored, so a result may go where an operand was. Nothing is contracted or reordered: each lane has
the bits that NumPy gives, except in exp, log and the like.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from ontogeny.machine.swarm.vectors import emitted

WORD, REAL = ir.IntType(64), ir.DoubleType()
MIXER = 0x9E3779B97F4A7C15


def _vector(slots: Any) -> Any:
    return ir.VectorType(REAL, slots.dtype.count // 8)


def _slot(context: Any, builder: Any, kind: Any, slots: Any, index: Any) -> Any:
    base = context.make_array(kind)(context, builder, slots).data
    start = builder.gep(
        builder.bitcast(base, ir.IntType(8).as_pointer()), [builder.mul(index, ir.Constant(WORD, kind.dtype.count))]
    )
    return builder.bitcast(start, _vector(kind).as_pointer())


def _all(builder: Any, value: Any, vector: Any) -> Any:
    """The value in every lane."""
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    places = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), places)


def _number(builder: Any, number: float, vector: Any) -> Any:
    return _all(builder, ir.Constant(REAL, number), vector)


def _called(builder: Any, name: str, *values: Any) -> Any:
    vector = values[0].type
    function = ir.FunctionType(vector, [vector] * len(values))
    return builder.call(
        cgutils.get_or_insert_function(builder.module, function, f"llvm.{name}.v{vector.count}f64"), list(values)
    )


def _walk(context: Any, builder: Any, signature: Any, given: Any, operands: int, compute: Callable[..., Any]) -> Any:
    """slots[into + i] = compute(slots[a + i * step], ...) for i below a count: (slots, into, count, a, step, ...)."""
    kind = signature.args[0]
    with cgutils.for_range(builder, given[2], intp=WORD) as loop:
        values = []
        for operand in range(operands):
            first, step = given[3 + 2 * operand], given[4 + 2 * operand]
            index = builder.add(first, builder.mul(loop.index, step))
            values.append(builder.load(_slot(context, builder, kind, given[0], index), align=8))
        into = _slot(context, builder, kind, given[0], builder.add(given[1], loop.index))
        builder.store(compute(builder, *values), into, align=8)
    return context.get_dummy_value()


def _unary(compute: Callable[..., Any]) -> Any:
    """An intrinsic that goes over elements of one register."""

    def over(typing: Any, slots: Any, into: Any, count: Any, a: Any, step: Any) -> Any:
        def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            return _walk(context, builder, signature, given, 1, compute)

        return types.void(slots, *(types.int64,) * 4), made

    return emitted(over)


def _binary(compute: Callable[..., Any]) -> Any:
    """An intrinsic that goes over elements of two registers."""

    def over(typing: Any, slots: Any, into: Any, count: Any, a: Any, step: Any, b: Any, stride: Any) -> Any:
        def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            return _walk(context, builder, signature, given, 2, compute)

        return types.void(slots, *(types.int64,) * 6), made

    return emitted(over)


def _extreme(order: str) -> Callable[..., Any]:
    """a where it is the extreme or NaN, else b."""

    def compute(builder: Any, a: Any, b: Any) -> Any:
        takes = builder.or_(builder.fcmp_ordered(order, a, b), builder.fcmp_unordered("uno", a, a))
        return builder.select(takes, a, b)

    return compute


def _heaviside(builder: Any, a: Any) -> Any:
    above = builder.fcmp_ordered(">", a, ir.Constant(a.type, None))
    return builder.uitofp(above, a.type)


add = _binary(lambda builder, a, b: builder.fadd(a, b))
sub = _binary(lambda builder, a, b: builder.fsub(a, b))
mul = _binary(lambda builder, a, b: builder.fmul(a, b))
div = _binary(lambda builder, a, b: builder.fdiv(a, b))
smaller = _binary(_extreme("<="))
larger = _binary(_extreme(">="))
absolute = _unary(lambda builder, a: _called(builder, "fabs", a))
root = _unary(lambda builder, a: _called(builder, "sqrt", a))
copy = _unary(lambda builder, a: a)
heaviside = _unary(_heaviside)


@emitted
def gather(typing: Any, slots: Any, into: Any, count: Any, numbers: Any, at: Any) -> Any:
    """slots[into : into + count] = numbers[at : at + count * lanes], of a contiguous f64 array."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        base = context.make_array(signature.args[3])(context, builder, given[3]).data
        source = builder.bitcast(builder.gep(base, [given[4]]), _vector(kind).as_pointer())
        with cgutils.for_range(builder, given[2], intp=WORD) as loop:
            place = _slot(context, builder, kind, given[0], builder.add(given[1], loop.index))
            builder.store(builder.load(builder.gep(source, [loop.index]), align=8), place, align=8)
        return context.get_dummy_value()

    return types.void(slots, types.int64, types.int64, numbers, types.int64), made


@emitted
def fill(typing: Any, slots: Any, index: Any, number: Any) -> Any:
    """slots[index] = the number, in every lane."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        value = _all(builder, given[2], _vector(kind))
        builder.store(value, _slot(context, builder, kind, given[0], given[1]), align=8)
        return context.get_dummy_value()

    return types.void(slots, types.int64, types.float64), made


@emitted
def inner(typing: Any, slots: Any, into: Any, a: Any, b: Any, by: Any, count: Any) -> Any:
    """slots[into] = 0 + slots[a] * slots[b] + slots[a + 1] * slots[b + by] + ..., one after another."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        vector = _vector(kind)
        total = cgutils.alloca_once_value(builder, ir.Constant(vector, None))
        with cgutils.for_range(builder, given[5], intp=WORD) as loop:
            left = _slot(context, builder, kind, given[0], builder.add(given[2], loop.index))
            far = builder.add(given[3], builder.mul(loop.index, given[4]))
            right = _slot(context, builder, kind, given[0], far)
            product = builder.fmul(builder.load(left, align=8), builder.load(right, align=8))
            builder.store(builder.fadd(builder.load(total), product), total)
        builder.store(builder.load(total), _slot(context, builder, kind, given[0], given[1]), align=8)
        return context.get_dummy_value()

    return types.void(slots, *(types.int64,) * 5), made


@emitted
def judged(typing: Any, slots: Any, loss: Any, label: Any, prediction: Any, most: Any, scored: Any, mixed: Any) -> Any:
    """Judges a prediction; gives 0 where no lane is left.

    A lane whose |label - prediction| is NaN or above `most` has an infinite loss from now on. With `scored` the square
    is added to the loss; with `mixed`, a slot or -1, the error's bits go into the hash there.
    """

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        vector = _vector(kind)
        kept, wanted, found = (_slot(context, builder, kind, given[0], index) for index in given[1:4])
        error = builder.fsub(builder.load(wanted, align=8), builder.load(found, align=8))
        fits = builder.fcmp_ordered("<=", _called(builder, "fabs", error), _all(builder, given[4], vector))
        before = builder.load(kept, align=8)
        added = builder.select(
            _all(builder, given[5], ir.VectorType(ir.IntType(1), vector.count)),
            builder.fmul(error, error),
            ir.Constant(vector, None),
        )
        after = builder.select(fits, builder.fadd(before, added), _number(builder, float("inf"), vector))
        builder.store(after, kept, align=8)
        with builder.if_then(builder.icmp_signed(">=", given[6], ir.Constant(WORD, 0))):
            whole = ir.VectorType(WORD, vector.count)
            place = builder.bitcast(_slot(context, builder, kind, given[0], given[6]), whole.as_pointer())
            bits = builder.xor(builder.load(place, align=8), builder.bitcast(error, whole))
            spread = builder.xor(bits, builder.lshr(bits, _all(builder, ir.Constant(WORD, 29), whole)))
            builder.store(builder.mul(spread, _all(builder, ir.Constant(WORD, MIXER), whole)), place, align=8)
        left = builder.fcmp_ordered("<", after, _number(builder, float("inf"), vector))
        return builder.zext(builder.icmp_unsigned("!=", _bits(builder, left), _none(left)), WORD)

    return types.int64(slots, *(types.int64,) * 3, types.float64, types.boolean, types.int64), made


def _bits(builder: Any, lanes: Any) -> Any:
    return builder.bitcast(lanes, ir.IntType(lanes.type.count))


def _none(lanes: Any) -> Any:
    return ir.Constant(ir.IntType(lanes.type.count), 0)
