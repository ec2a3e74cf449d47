"""Gates on slots of words for numba, written as LLVM vectors, so that no loop has to be proved vectorizable.

A slot is one opaque item of a byte-string array, `S128` for 16 words, so the number of words is in the type and each
width is compiled once. A gate loads both operands whole before it stores: a slot may be overwritten by the gate
that read it last. The vectors are as wide as a slot; LLVM cuts them into the registers that the processor has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

WORD = ir.IntType(64)


def emitted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that writes LLVM code where a compiled one calls it, without its first argument."""
    made: Callable[..., Any] = intrinsic(function)
    return made


def _vector(slots: Any) -> Any:
    return ir.VectorType(WORD, slots.dtype.count // 8)


def _slot(context: Any, builder: Any, kind: Any, slots: Any, index: Any) -> Any:
    base = context.make_array(kind)(context, builder, slots).data
    size = ir.Constant(WORD, kind.dtype.count)
    start = builder.gep(builder.bitcast(base, ir.IntType(8).as_pointer()), [builder.mul(index, size)])
    return builder.bitcast(start, _vector(kind).as_pointer())


def _run(context: Any, builder: Any, kind: Any, words: Any, at: Any, vector: Any) -> Any:
    base = context.make_array(kind)(context, builder, words).data
    return builder.bitcast(builder.gep(base, [at]), vector.as_pointer())


def _same(builder: Any, word: Any, vector: Any) -> Any:
    """The word in every place of a vector."""
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), word, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        one, ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)
    )


@emitted
def fill(typing: Any, slots: Any, index: Any, words: Any, at: Any) -> Any:
    """slots[index] = words[at : at + width]."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        target = _slot(context, builder, signature.args[0], given[0], given[1])
        source = _run(context, builder, signature.args[2], given[2], given[3], _vector(signature.args[0]))
        builder.store(builder.load(source, align=8), target, align=8)
        return context.get_dummy_value()

    return types.void(slots, types.int64, words, types.int64), made


@emitted
def spill(typing: Any, slots: Any, index: Any, words: Any, at: Any) -> Any:
    """words[at : at + width] = slots[index]."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        source = _slot(context, builder, signature.args[0], given[0], given[1])
        target = _run(context, builder, signature.args[2], given[2], given[3], _vector(signature.args[0]))
        builder.store(builder.load(source, align=8), target, align=8)
        return context.get_dummy_value()

    return types.void(slots, types.int64, words, types.int64), made


@emitted
def nand(typing: Any, slots: Any, into: Any, left: Any, right: Any) -> Any:
    """slots[into] = not (slots[left] and slots[right])."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        into, left, right = (_slot(context, builder, signature.args[0], given[0], index) for index in given[1:])
        both = builder.and_(builder.load(left, align=8), builder.load(right, align=8))
        builder.store(builder.not_(both), into, align=8)
        return context.get_dummy_value()

    return types.void(slots, types.int64, types.int64, types.int64), made


@emitted
def gate(typing: Any, slots: Any, into: Any, left: Any, right: Any, none: Any, one: Any, two: Any, both: Any) -> Any:
    """slots[into] = none ^ (one & l) ^ (two & r) ^ (both & l & r): any gate by its polynomial, without a branch."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        into, left, right = (_slot(context, builder, kind, given[0], index) for index in given[1:4])
        none, one, two, both = (_same(builder, word, _vector(kind)) for word in given[4:])
        x, y = builder.load(left, align=8), builder.load(right, align=8)
        of_left = builder.and_(x, builder.xor(one, builder.and_(both, y)))
        value = builder.xor(builder.xor(none, builder.and_(two, y)), of_left)
        builder.store(value, into, align=8)
        return context.get_dummy_value()

    return types.void(slots, *(types.int64,) * 3, *(types.uint64,) * 4), made


@emitted
def differing(typing: Any, slots: Any, index: Any, target: Any, cared: Any, at: Any) -> Any:
    """How many bits of slots[index] differ from target[at : at + width] where `cared` has a one."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        vector = _vector(signature.args[0])
        found = builder.load(_slot(context, builder, signature.args[0], given[0], given[1]), align=8)
        wanted = builder.load(_run(context, builder, signature.args[2], given[2], given[4], vector), align=8)
        mask = builder.load(_run(context, builder, signature.args[3], given[3], given[4], vector), align=8)
        name = f"v{vector.count}i64"
        count = ir.FunctionType(vector, [vector])
        total = ir.FunctionType(WORD, [vector])
        ones = cgutils.get_or_insert_function(builder.module, count, f"llvm.ctpop.{name}")
        summed = cgutils.get_or_insert_function(builder.module, total, f"llvm.vector.reduce.add.{name}")
        return builder.call(summed, [builder.call(ones, [builder.and_(mask, builder.xor(found, wanted))])])

    return types.int64(slots, types.int64, target, cared, types.int64), made


@emitted
def ones(typing: Any, word: Any) -> Any:
    """How many bits of a word are one."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.ctpop(given[0])

    return types.int64(types.uint64), made
