"""What a routine is charged for: its instructions as kinds of `kinds.py`, each at its own sizes.

What is no kind there is charged as an addition or a copy of as many elements, and said to be unknown. Calls of routines
and loops whose rounds are a constant are gone into; a condition is charged both its sides, a `while` one round.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from ontogeny.ask.price.kinds import HOST, KINDS, READ, Point
from ontogeny.ask.price.strides import Strides, after, rows, run_length, viewed
from ontogeny.isa import attrs
from ontogeny.isa.cost import CALLS, called
from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.tables import declarations, routines
from ontogeny.isa.types import Type
from ontogeny.isa.uses import fixed_rounds
from ontogeny.isa.verify import value_types

Types = tuple[Type, ...]
Layouts = tuple[Strides, ...]


@dataclass(frozen=True, slots=True)
class Charge:
    """So many times a kind of instruction at a point of its axes, which need not be one of the grid."""

    kind: str
    point: Point = ()
    times: float = 1.0
    known: bool = True


Maker = Callable[[Instr, Types, Type, Layouts], list[Charge]]


def charges(program: Program, routine: Routine) -> list[Charge]:
    """What a routine is charged, in the order of its instructions."""
    types, rounds = value_types(program, routine), fixed_rounds(routine)
    layouts: dict[str, Strides] = {name: rows(type.shape) for name, type in routine.params}
    found: list[Charge] = []
    for instr in routine.body:
        operands, results = (tuple(types[name] for name in names) for names in (instr.args, instr.out))
        given = tuple(layouts[name] for name in instr.args)
        for place, (name, type) in enumerate(zip(instr.out, results, strict=True)):
            layouts[name] = after(instr, operands, type, given) if place == 0 else rows(type.shape)
        if instr.op in CALLS:
            times = rounds.get(instr.args[0], 1) if instr.op is Op.LOOP else 1
            for name in called(instr):
                found.extend(charges(program, routines(program)[name]) * max(0, times))
        elif instr.op is Op.READ:
            found.extend([Charge(READ)] * bool(declarations(program)[attrs.text(instr, "name")].arena))
        elif instr.op not in (Op.CONST, Op.COMMIT):
            found.extend(_charges(instr, operands, results, given))
    return found


def _charges(instr: Instr, operands: Types, results: Types, layouts: Layouts) -> list[Charge]:
    """What one instruction is charged."""
    result = results[0]
    if all(type.rank == 0 for type in (*operands, result)):
        return [Charge(HOST)]
    if instr.op in MAKERS:
        return MAKERS[instr.op](instr, operands, result, layouts)
    if instr.op.text in KINDS and len(KINDS[instr.op.text].axes) == 1:
        return _elementwise(instr, operands, result, layouts)
    if instr.op in ALONG:
        dims = attrs.ints(instr, "dims") if any(name == "dims" for name, _ in instr.attrs) else (-1,)
        return _reduction(instr.op.text, operands[0], dims)
    if instr.op.group in (Group.ARITHMETIC, Group.SELECT, Group.BITS) or instr.op.is_macro:
        return [Charge("add", (max(1, result.size),), 1.0, instr.op in LIKE_ADD)]
    return [Charge("copy", (max(1, result.size), max(1, result.shape[-1] if result.rank else 1)), 1.0, False)]


def _elementwise(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
    whole = [type for type in operands if type.shape == result.shape]
    numbers = sum(type.rank == 0 for type in operands)
    if instr.op in (Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.LT, Op.EQ, Op.LE) and numbers:
        return [Charge("add of a number" if instr.op is not Op.DIV else "div", (max(1, result.size),))]
    if len(whole) + numbers < len(operands) and result.rank:
        columns = _columns(operands, result)
        return [Charge("add, stretched", (max(1, result.size // columns), columns))]
    return [Charge(instr.op.text, (max(1, result.size),))]


def _columns(operands: Types, result: Type) -> int:
    """Elements of the last dimensions along which a stretched operand goes on, or does not, in one way."""
    odd = next(type for type in operands if type.shape != result.shape and type.rank)
    shape = (1,) * (result.rank - odd.rank) + odd.shape
    columns, stays = 1, shape[-1] == result.shape[-1]
    for size, whole in zip(reversed(shape), reversed(result.shape), strict=True):
        if (size == whole) != stays and whole != 1:
            break
        columns *= whole
    return max(1, columns)


def _reduction(name: str, operand: Type, dims: tuple[int, ...]) -> list[Charge]:
    """Along the last dimensions, or of rows."""
    places = {place % max(operand.rank, 1) for place in dims}
    count = max(1, prod(operand.shape[place] for place in places))
    other = max(1, operand.size // count)
    last = operand.rank - 1 in places
    if name == "sum":
        return [Charge("sum along rows", (other, count)) if last else Charge("sum of rows", (count, other))]
    return [Charge(name, (other, count))]


def _dot(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
    (*lead, m, k), n = operands[0].shape, operands[1].shape[-1]
    if lead:
        return [Charge("products", (prod(lead), m, k, n))]
    return [_product(m, k, n, layouts[0], layouts[1])]


def _product(m: int, k: int, n: int, left: Strides, right: Strides) -> Charge:
    turned = "product, left turned" if left[-1] != 1 and m > 1 else "product"
    if right[-1] != 1 and n > 1:
        turned = "product, right turned"
    return Charge(turned, (m, k, n))


def _linear(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
    """A product, and its bias written before."""
    (m, k), n = operands[1].shape, operands[2].shape[1]
    return [_product(m, k, n, layouts[1], layouts[2]), Charge("add, stretched", (m, n))]


def _reshape(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
    if viewed(operands[0].shape, layouts[0], result.shape) is not None:
        return [Charge("reshape")]
    return [Charge("copy", (max(1, result.size), run_length(operands[0].shape, layouts[0])))]


def _cat(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
    turned = sum(type.size for type, lay in zip(operands, layouts, strict=True) if lay != rows(type.shape))
    return [
        Charge("cat", (max(1, result.size),)),
        Charge("cat of a piece", (max(4, len(operands)),)),
        *([Charge("copy", (turned, 16))] if turned else []),
    ]


def _rows_of(name: str, place: int = 0) -> Maker:
    def make(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
        type = operands[place]
        columns = max(1, type.shape[-1])
        return [Charge(name, (max(1, type.size // columns), columns))]

    return make


def _gather(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
    index = max(1, prod(operands[1].shape))
    return [Charge("gather", (index, max(1, result.size // index)))]


def _embedding_backward(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
    width = max(1, operands[0].shape[-1])
    return [Charge("embedding_backward", (max(1, operands[0].size // width), width))]


def _conv(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
    """By as many 3 x 3 windows as take its multiply-adds."""
    given, weight = (operands[0], operands[1]) if instr.op is Op.CONV else (operands[1], operands[2])
    out = result if instr.op is Op.CONV else operands[0]
    images, (outs, ins) = given.shape[0], weight.shape[:2]
    side = max(1, round(math.sqrt(prod(out.shape[2:]))))
    window = prod(weight.shape[2:]) / 9
    return [Charge(instr.op.text, (images, ins, outs, side), window)]


def _in_planes(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
    type = operands[1] if instr.op is Op.MAX_POOL_BACKWARD else operands[0]
    side = max(1, round(math.sqrt(prod(type.shape[2:]))))
    return [Charge(instr.op.text, (type.shape[0], type.shape[1], side))]


def _view(instr: Instr, operands: Types, result: Type, layouts: Layouts) -> list[Charge]:
    return [Charge(instr.op.text)]


LIKE_ADD = frozenset({Op.CAST, Op.LE, Op.AND, Op.OR, Op.NOT, Op.SIGN, Op.FLOOR, Op.COS, Op.POW, Op.RECIPROCAL})
ALONG = frozenset({Op.SUM, Op.REDUCE_MAX, Op.MEAN, Op.VARIANCE})
MAKERS: dict[Op, Maker] = {
    Op.DOT: _dot,
    Op.LINEAR: _linear,
    Op.RESHAPE: _reshape,
    Op.CAT: _cat,
    Op.GATHER: _gather,
    Op.EMBEDDING_BACKWARD: _embedding_backward,
    Op.CONV: _conv,
    Op.CONV_BACKWARD: _conv,
    **dict.fromkeys((Op.BATCH_NORM, Op.BATCH_NORM_BACKWARD, Op.MAX_POOL, Op.MAX_POOL_BACKWARD), _in_planes),
    **dict.fromkeys((Op.PERMUTE, Op.BROADCAST, Op.SLICE), _view),
    **{
        op: _rows_of(op.text)
        for op in (Op.SOFTMAX, Op.SOFTMAX_BACKWARD, Op.LOG_SOFTMAX, Op.LOG_SOFTMAX_BACKWARD, Op.ARGMAX, Op.LAYER_NORM)
    },
    Op.LAYER_NORM_BACKWARD: _rows_of("layer_norm_backward"),
    Op.NLL_LOSS: _rows_of("nll_loss"),
    Op.NLL_LOSS_BACKWARD: _rows_of("nll_loss_backward", 1),
}
