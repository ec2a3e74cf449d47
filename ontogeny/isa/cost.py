"""What an instruction costs, as a formula of its shapes: operations, and bytes read and written.

A multiply-add is two operations. An elementwise operation is one for each element of its result, a reduction or scan
one for each element of its operand, and moving or converting data none. A macro costs what its definition in base
operations costs, save where a fused kernel is known to do less (`FUSED`). Bytes are those of operands and results. A
view (a reshape, permute, broadcast, slice, flip, window, bitcast, a read or commit of a register) moves none, and a
gather reads only the elements it gives.

Not known here: what stays in a cache, what a compiler fuses, how many rounds a loop takes that only its data decide.
Such a loop, and every `while`, is counted for one round, and its row says so. A loop that goes by a dial is counted by
the dial's default, and its row says that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod

from ontogeny.isa import attrs
from ontogeny.isa.macros import expand
from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.rules import result_types
from ontogeny.isa.tables import ByIdentity, declarations, routines
from ontogeny.isa.types import Type
from ontogeny.isa.uses import fixed_rounds, parameter_uses
from ontogeny.isa.verify import value_types

Types = tuple[Type, ...]
Formula = Callable[[Instr, Types, Types], int]
ONE_ROUND = "counted for one round; how many there are is decided by data"
BY_DIAL = "counted for {} rounds, by the dial; turned, there are others"


@dataclass(frozen=True, slots=True)
class Cost:
    """Operations (a multiply-add is two), and bytes of operands and results."""

    operations: int = 0
    bytes_read: int = 0
    bytes_written: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.operations + other.operations,
            self.bytes_read + other.bytes_read,
            self.bytes_written + other.bytes_written,
        )

    def times(self, count: int) -> Cost:
        """The cost of doing it `count` times."""
        return Cost(self.operations * count, self.bytes_read * count, self.bytes_written * count)

    def larger(self, other: Cost) -> Cost:
        """The larger of two costs, figure by figure."""
        return Cost(
            max(self.operations, other.operations),
            max(self.bytes_read, other.bytes_read),
            max(self.bytes_written, other.bytes_written),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One instruction of a routine, counted from one, with its cost; `remark` says what the figure leaves out."""

    number: int
    instr: Instr
    cost: Cost
    remark: str = ""


@dataclass(frozen=True, slots=True)
class RoutineCost:
    """What a routine costs: a row for each instruction, the total, and the uses of each parameter for one example.

    `uses` gives for every parameter by name how many times each of its elements, on average, is an operand of
    arithmetic for one example of a batch of `batch` (see `isa/uses.py`).
    """

    routine: str
    rows: tuple[Row, ...]
    total: Cost
    batch: int
    uses: dict[str, float] = field(default_factory=dict)

    @property
    def remark(self) -> str:
        """What the total leaves out; empty when it is exact."""
        return next((row.remark for row in self.rows if row.remark), "")


def elements(instr: Instr, operands: Types, results: Types) -> int:
    """One operation for each element of the result."""
    return results[0].size


def inputs(instr: Instr, operands: Types, results: Types) -> int:
    """One operation for each element of the operand."""
    return operands[0].size


def nothing(instr: Instr, operands: Types, results: Types) -> int:
    """No operation: data are moved or named."""
    return 0


def dot(instr: Instr, operands: Types, results: Types) -> int:
    """2 b m k n."""
    return 2 * results[0].size * operands[0].shape[-1]


def sort(instr: Instr, operands: Types, results: Types) -> int:
    """n log2 n comparisons along the dimension."""
    return operands[0].size * (operands[0].shape[attrs.integer(instr, "dim")] - 1).bit_length()


def random(instr: Instr, operands: Types, results: Types) -> int:
    """Two words from 20 rounds of add, rotate (3), xor, and 6 injections of the key of 3 adds at most: 59 a word."""
    return 59 * results[0].size


def scatter_add(instr: Instr, operands: Types, results: Types) -> int:
    """One addition for each element that is added."""
    return operands[1].size


def conv_backward(instr: Instr, operands: Types, results: Types) -> int:
    """As many multiply-adds as forward for each of two gradients, and the sum for the bias."""
    g, _, w = operands
    return 4 * g.size * prod(w.shape[1:]) + g.size


def lerp(instr: Instr, operands: Types, results: Types) -> int:
    """A difference and a multiply-add; the definition computes both of its forms."""
    return 3 * results[0].size


def max_pool(instr: Instr, operands: Types, results: Types) -> int:
    """One comparison for each place of each window."""
    return results[0].size * prod(attrs.ints(instr, "size"))


def avg_pool_backward(instr: Instr, operands: Types, results: Types) -> int:
    """A quotient for each window, and one addition for each of its places."""
    return operands[0].size * (1 + prod(attrs.ints(instr, "size")))


def definition(instr: Instr, operands: Types, results: Types) -> int:
    """What the macro's definition in base operations costs."""
    names = tuple(f"a{place}" for place in range(len(operands)))
    outs = tuple(f"y{place}" for place in range(len(results)))
    return _defined(Instr(outs, instr.op, names, instr.attrs), operands)


@lru_cache(maxsize=4096)
def _defined(instr: Instr, operands: Types) -> int:
    types = dict(zip(instr.args, operands, strict=True))
    total = 0
    for each in expand(instr, operands):
        given = tuple(types[name] for name in each.args)
        found = result_types(each, given)
        types.update(zip(each.out, found, strict=True))
        total += OPERATIONS[each.op](each, given, found)
    return total


FUSED: dict[Op, Formula] = {
    Op.LERP: lerp,
    Op.CONV_BACKWARD: conv_backward,
    Op.MAX_POOL: max_pool,
    Op.AVG_POOL_BACKWARD: avg_pool_backward,
}
"""The macros whose kernels do less than their definitions, which compute indices, or both sides of a choice."""

UNMOVED = frozenset({Op.RESHAPE, Op.PERMUTE, Op.BROADCAST, Op.SLICE, Op.FLIP, Op.WINDOW, Op.BITCAST, Op.PROBE})
NAMED = frozenset({Op.READ, Op.COMMIT})
CALLS = frozenset({Op.CALL, Op.LOOP, Op.WHILE, Op.COND})

OPERATIONS: dict[Op, Formula] = {
    **{op: nothing for op in Op if op.group in (Group.MEMORY, Group.SHAPE)},
    **{op: elements for op in Op if op.group in (Group.ARITHMETIC, Group.SELECT, Group.BITS)},
    **{op: definition for op in Op if op.group is Group.MACRO},
    **dict.fromkeys((Op.CAST, Op.BITCAST, Op.WINDOW, Op.GATHER, Op.SCATTER_SET, Op.PROBE, Op.ASSERT), nothing),
    **dict.fromkeys((Op.SUM, Op.REDUCE_MAX, Op.ARGMAX, Op.SCAN), inputs),
    Op.DOT: dot,
    Op.SCATTER_ADD: scatter_add,
    Op.SORT: sort,
    Op.RAND_BITS: random,
    **FUSED,
}
"""The operations of everything but calls, which cost what the routines called do."""


def instruction_cost(
    instr: Instr, operands: Types, results: Types, program: Program | None = None, rounds: int | None = None
) -> Cost:
    """What one instruction of these types costs.

    A call costs what is called, a condition the larger of its sides, and a loop its body `rounds` times, or once where
    that is not given. Calls need the program, which must verify.
    """
    if instr.op in CALLS:
        if program is None:
            raise ValueError(f"the cost of {instr.op.text} needs the program whose routines it calls")
        return _call_cost(instr, program, rounds)
    operations = OPERATIONS[instr.op](instr, operands, results)
    if instr.op in UNMOVED or instr.op in NAMED:
        return Cost(operations)
    written = sum(result.bytes for result in results)
    if instr.op is Op.GATHER:
        return Cost(operations, written + sum(index.bytes for index in operands[1:]), written)
    return Cost(operations, sum(operand.bytes for operand in operands), written)


def routine_cost(program: Program, routine_name: str, batch: int | None = None) -> RoutineCost:
    """What the routine called so costs, instruction by instruction, and how often it uses each parameter.

    `batch` is the number of examples in one call; left out, it is the first dimension of the first input that the
    routine, or one that it calls, reads. The program must verify.
    """
    routine = program.routine(routine_name)
    rows, total = _rows(program, routine)
    count = batch if batch is not None else batch_size(program, routine)
    if count < 1:
        raise ValueError(f"batch must be 1 or more, not {count}")
    uses = parameter_uses(program, routine)
    return RoutineCost(routine_name, rows, total, count, {name: times / count for name, times in uses.items()})


def batch_size(program: Program, routine: Routine) -> int:
    """The first dimension of the first input that the routine, or one that it calls, reads; 1 where there is none."""
    for name in _reads(program, routine, set()):
        decl = declarations(program)[name]
        if decl.kind == "input":
            return max(1, decl.type.shape[0]) if decl.type.shape else 1
    return 1


def _reads(program: Program, routine: Routine, seen: set[str]) -> Iterator[str]:
    seen.add(routine.name)
    for instr in routine.body:
        if instr.op is Op.READ:
            yield attrs.text(instr, "name")
        for other in called(instr):
            if other not in seen:
                yield from _reads(program, routines(program)[other], seen)


def called(instr: Instr) -> tuple[str, ...]:
    """The routines that the instruction calls."""
    if instr.op not in CALLS:
        return ()
    return tuple(str(value) for name, value in instr.attrs if name in ("test", "body", "then", "other"))


_costs: ByIdentity[tuple[tuple[Row, ...], Cost]] = ByIdentity()


def _rows(program: Program, routine: Routine) -> tuple[tuple[Row, ...], Cost]:
    return _costs.get((program, routine), lambda: _make_rows(program, routine))


def _make_rows(program: Program, routine: Routine) -> tuple[tuple[Row, ...], Cost]:
    types, rounds, constant = value_types(program, routine), fixed_rounds(routine, program), fixed_rounds(routine)
    rows, total = [], Cost()
    for number, instr in enumerate(routine.body, 1):
        operands, results = (tuple(types[name] for name in names) for names in (instr.args, instr.out))
        count = rounds.get(instr.args[0]) if instr.op is Op.LOOP else None
        cost = instruction_cost(instr, operands, results, program, count)
        dialled = BY_DIAL.format(count) if count is not None and instr.args[0] not in constant else ""
        rows.append(Row(number, instr, cost, dialled or _remark(program, instr, count)))
        total += cost
    return tuple(rows), total


def _remark(program: Program, instr: Instr, rounds: int | None) -> str:
    if instr.op is Op.WHILE or (instr.op is Op.LOOP and rounds is None):
        return ONE_ROUND
    inner = (row for name in called(instr) for row in _rows(program, routines(program)[name])[0])
    return next((f"inside, {row.instr.op.text}: {row.remark}" for row in inner if row.remark), "")


def _call_cost(instr: Instr, program: Program, rounds: int | None) -> Cost:
    first, *rest = (_rows(program, routines(program)[name])[1] for name in called(instr))
    if instr.op is Op.LOOP:
        return first.times(1 if rounds is None else max(0, rounds))
    if instr.op is Op.COND:
        return first.larger(rest[0])
    return sum(rest, first)
