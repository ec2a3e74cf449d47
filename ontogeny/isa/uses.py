"""How many times each element of a parameter is used: an operand of arithmetic, averaged over its elements.

The rule, worked from the last instruction to the first. Every value has a total of uses, 0 to begin with, and an
instruction hands some to its operands:

- Arithmetic uses each element of an operand once for every result element or multiply-add that it contributes to: an
  elementwise operation one for each element of its result (a stretched operand several times), a reduction one for each
  element of the operand, a product [m, k] x [k, n] each left element n times and each right element m times, a
  convolution each element once for every multiply-add in which it stands (those with padding counted), a window of
  pooling one for each place, a negative log-likelihood one for each row.
- Data movement and conversion use nothing, and hand on the uses of their result: a slice to the elements it takes, a
  broadcast and a gather as often as they give the element, a cat or pad in proportion to size.
- A commit, a returned result and an assert use nothing. Instructions noted as backward or update use nothing either:
  it is the forward computation that is asked about.
- A call hands on what the routine called does with its operands; a loop n times over, where n is a constant
  or a dial's default, else once; a `while` once; a condition the larger of its sides.

Only averages over the elements of one value are kept, so a part that is moved and then used more than its neighbours is
told apart only where it is a piece of an arena, or is sliced straight out of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import prod

from ontogeny.isa import attrs
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.tables import declarations, routines
from ontogeny.isa.types import Type
from ontogeny.isa.verify import value_types

Types = tuple[Type, ...]
Totals = list[float]
Place = tuple[str, int, int]  # a register, and from which to which of its elements

UNCOUNTED = ("backward", "update")
MAX_ROUNDS = 64


@dataclass(slots=True)
class Flow:
    """Total uses of the registers that a routine reads, and of its operands in order."""

    reads: dict[Place, float] = field(default_factory=dict)
    operands: Totals = field(default_factory=list)

    def add(self, other: Flow, weight: float) -> None:
        """Adds `weight` times another."""
        for place, total in other.reads.items():
            self.reads[place] = self.reads.get(place, 0.0) + weight * total
        pairs = zip(self.operands, other.operands, strict=True)
        self.operands = [total + weight * more for total, more in pairs]


def parameter_uses(program: Program, routine: Routine) -> dict[str, float]:
    """For every one of `Program.named_params` the average uses of an element in one call of the routine."""
    reads = _Analysis(program).flow(routine, [0.0] * len(routine.returns)).reads
    named = tuple(program.named_params())
    pieces = {(d.arena or d.name, d.offset, d.offset + d.type.size): d.name for d in named if d.type.size}
    uses = {decl.name: 0.0 for decl in named}
    for place, total in reads.items():
        for piece in (place,) if place in pieces else pieces:
            uses[pieces[piece]] += _share(piece, place, total)
    return uses


def _share(piece: Place, place: Place, total: float) -> float:
    """What each element of the piece gets, on average, where those of `place` together get the total."""
    (register, start, stop), (name, first, last) = piece, place
    common = min(stop, last) - max(start, first)
    return total * common / ((last - first) * (stop - start)) if register == name and common > 0 else 0.0


def fixed_rounds(routine: Routine, program: Program | None = None) -> dict[str, int]:
    """The scalars of a routine that are whole constants, by name: what a loop may take as its number of rounds.

    With the program also those that are a dial, which then counts as what it is by default.
    """
    scalars = (
        (instr.out[0], attrs.numbers(instr, "value"))
        for instr in routine.body
        if instr.op is Op.CONST and attrs.ints(instr, "shape") == ()
    )
    found = ((name, value[0] if isinstance(value, tuple) else value) for name, value in scalars)
    whole = {name: int(value) for name, value in found if not isinstance(value, float)}
    return {**whole, **(_dialled(routine, program) if program else {})}


def _dialled(routine: Routine, program: Program) -> dict[str, int]:
    """The scalars that are dials made whole."""
    defaults = {decl.name: decl.default for decl in program.of("dial") if decl.default is not None}
    reads = {i.out[0]: attrs.text(i, "name") for i in routine.body if i.op is Op.READ}
    casts = {i.out[0]: reads[i.args[0]] for i in routine.body if i.op is Op.CAST and i.args[0] in reads}
    return {name: int(defaults[dial]) for name, dial in casts.items() if math.isfinite(defaults.get(dial, math.nan))}


def _by_result(instr: Instr, operands: Types, results: Types) -> Totals:
    """Elementwise, reductions, norms: once for each element of the result, or of the operand where that has more."""
    size = results[0].size if results else 0
    return [float(max(size, operand.size)) for operand in operands]


def _dot(instr: Instr, operands: Types, results: Types) -> Totals:
    products = float(results[0].size * operands[0].shape[-1])
    return [products, products]


def _linear(instr: Instr, operands: Types, results: Types) -> Totals:
    return [float(results[0].size), *_dot(instr, operands[1:], results)]


def _conv(instr: Instr, operands: Types, results: Types) -> Totals:
    products = float(results[0].size * prod(operands[1].shape[1:]))
    return [products, products, float(results[0].size)][: len(operands)]


def _conv_backward(instr: Instr, operands: Types, results: Types) -> Totals:
    products = float(operands[0].size * prod(operands[2].shape[1:]))
    return [2 * products + operands[0].size, products, products]


def _pool(instr: Instr, operands: Types, results: Types) -> Totals:
    return [float(results[0].size * prod(attrs.ints(instr, "size")))]


def _nll(instr: Instr, operands: Types, results: Types) -> Totals:
    return [float(operands[1].size)] * 2


def _scatter_add(instr: Instr, operands: Types, results: Types) -> Totals:
    return [float(operands[1].size)] * 2 + [0.0] * (len(operands) - 2)


def _none(instr: Instr, operands: Types, results: Types) -> Totals:
    return [0.0] * len(operands)


ARITHMETIC: dict[Op, Callable[[Instr, Types, Types], Totals]] = {
    Op.DOT: _dot,
    Op.LINEAR: _linear,
    Op.CONV: _conv,
    Op.CONV_BACKWARD: _conv_backward,
    Op.MAX_POOL: _pool,
    Op.AVG_POOL: _pool,
    Op.NLL_LOSS: _nll,
    Op.SCATTER_ADD: _scatter_add,
    Op.COMMIT: _none,
    Op.ASSERT: _none,
    Op.RAND_BITS: _none,
    Op.UNIFORM: _none,
}
"""What arithmetic uses; an operation that is not here, and moves nothing, does as `_by_result` says."""


def _whole(operands: Types, result: Type, total: float) -> Totals:
    """All to the first operand."""
    return [total, *(0.0 for _ in operands[1:])]


def _in_proportion(operands: Types, result: Type, total: float) -> Totals:
    """To each operand by its share of the result's elements."""
    return [total * operand.size / max(1, result.size) for operand in operands]


def _put(operands: Types, result: Type, total: float) -> Totals:
    """To what is put there by its share, and the rest to what it is put into."""
    share = total * min(1.0, operands[1].size / max(1, result.size))
    return [total - share, share, *(0.0 for _ in operands[2:])]


MOVES: dict[Op, Callable[[Types, Type, float], Totals]] = {
    **dict.fromkeys(
        (Op.RESHAPE, Op.PERMUTE, Op.BROADCAST, Op.SLICE, Op.FLIP, Op.WINDOW, Op.CAST, Op.BITCAST, Op.PROBE, Op.GATHER),
        _whole,
    ),
    Op.PAD: _in_proportion,
    Op.CAT: _in_proportion,
    Op.SCATTER_SET: _put,
    Op.SCATTER_ADD: _put,
}
"""To which operands data movement hands on its result's uses (scatter_add does so beside its additions)."""


class _Analysis:
    """The flows of a program's routines.

    A flow is linear in the uses of the results, so a routine that is called is walked once for none of them and once
    for each, however often it is called.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.known: dict[str, list[Flow]] = {}

    def flow(self, routine: Routine, totals: Totals) -> Flow:
        """What the routine uses where its results are used `totals` times."""
        walk = _Walk(self, routine)
        for (_, value), total in zip(routine.returns, totals, strict=True):
            walk.use(value, total)
        return walk.back()

    def of(self, name: str, totals: Totals) -> Flow:
        """As `flow`, from what is known of the routine."""
        if name not in self.known:
            routine = routines(self.program)[name]
            count = len(routine.returns)
            units = [[float(at == place) for at in range(count)] for place in range(-1, count)]
            self.known[name] = [self.flow(routine, unit) for unit in units]
        base, *each = self.known[name]
        result = Flow(dict(base.reads), list(base.operands))
        for one, total in zip(each, totals, strict=True):
            if total:
                result.add(one, total)
                result.add(base, -total)
        return result

    def loop(self, body: str, totals: Totals, rounds: int) -> Flow:
        """Round after round backward; after MAX_ROUNDS every further one is taken to be as the last."""
        result, carried = Flow({}, list(totals)), list(totals)
        for left in range(rounds, 0, -1):
            once = self.of(body, carried)
            times = left if left == rounds - MAX_ROUNDS + 1 else 1
            for place, total in once.reads.items():
                result.reads[place] = result.reads.get(place, 0.0) + times * total
            pairs = zip(carried, once.operands[1:], strict=True)
            carried = [before + times * (after - before) for before, after in pairs]
            if times > 1:
                break
        result.operands = [0.0, *carried]
        return result

    def called(self, instr: Instr, totals: Totals, rounds: int) -> Flow:
        """What a call of any kind uses of its operands."""
        if instr.op is Op.CALL:
            return self.of(attrs.text(instr, "body"), totals)
        if instr.op is Op.LOOP:
            return self.loop(attrs.text(instr, "body"), totals, rounds)
        if instr.op is Op.WHILE:
            flow = self.of(attrs.text(instr, "test"), [0.0])
            flow.add(self.of(attrs.text(instr, "body"), totals), 1.0)
            return flow
        then, other = (self.of(attrs.text(instr, name), totals) for name in ("then", "other"))
        places = then.reads.keys() | other.reads.keys()
        reads = {place: max(then.reads.get(place, 0.0), other.reads.get(place, 0.0)) for place in places}
        return Flow(reads, [0.0, *map(max, then.operands, other.operands)])


class _Walk:
    """One walk back through a routine: the total uses of every value so far."""

    def __init__(self, analysis: _Analysis, routine: Routine) -> None:
        self.analysis, self.routine = analysis, routine
        self.types = value_types(analysis.program, routine)
        self.rounds = fixed_rounds(routine, analysis.program)
        self.declared = declarations(analysis.program)
        self.registers = {i.out[0]: attrs.text(i, "name") for i in routine.body if i.op is Op.READ}
        self.totals: dict[str, float] = {}
        self.reads: dict[Place, float] = {}

    def use(self, value: str, total: float) -> None:
        """Adds to the uses of a value."""
        self.totals[value] = self.totals.get(value, 0.0) + total

    def back(self) -> Flow:
        """From the last instruction to the first."""
        for instr in reversed(self.routine.body):
            if instr.op is Op.READ:
                self._read(attrs.text(instr, "name"), self.totals.get(instr.out[0], 0.0))
            elif instr.op in (Op.CALL, Op.LOOP, Op.WHILE, Op.COND):
                self._call(instr)
            elif not self._cut(instr):
                self._hand(instr, tuple(self.types[name] for name in instr.args))
        return Flow(self.reads, [self.totals.get(name, 0.0) for name, _ in self.routine.params])

    def _read(self, name: str, total: float, first: int = 0, last: int = -1) -> None:
        decl = self.declared[name]
        last = decl.type.size if last < 0 else last
        if total and decl.kind == "param" and last > first:
            place = (decl.arena or name, decl.offset + first, decl.offset + last)
            self.reads[place] = self.reads.get(place, 0.0) + total

    def _cut(self, instr: Instr) -> bool:
        """Whether this slices a run of elements straight out of a flat register: then just those are used."""
        register = self.registers.get(instr.args[0]) if instr.op is Op.SLICE else None
        if register is None or self.declared[register].type.rank != 1 or attrs.ints(instr, "steps") != (1,):
            return False
        (first,), (last,) = attrs.ints(instr, "starts"), attrs.ints(instr, "stops")
        self._read(register, self.totals.get(instr.out[0], 0.0), first, last)
        return True

    def _call(self, instr: Instr) -> None:
        if instr.note.phase in UNCOUNTED:
            return
        totals = [self.totals.get(name, 0.0) for name in instr.out]
        rounds = max(0, self.rounds.get(instr.args[0], 1)) if instr.op is Op.LOOP else 1
        flow = self.analysis.called(instr, totals, rounds)
        for place, total in flow.reads.items():
            self.reads[place] = self.reads.get(place, 0.0) + total
        self._add(instr.args, flow.operands)

    def _hand(self, instr: Instr, operands: Types) -> None:
        results = tuple(self.types[name] for name in instr.out)
        moves = MOVES.get(instr.op)
        if moves is not None:
            self._add(instr.args, moves(operands, results[0], self.totals.get(instr.out[0], 0.0)))
        if (moves is None or instr.op in ARITHMETIC) and instr.note.phase not in UNCOUNTED:
            self._add(instr.args, ARITHMETIC.get(instr.op, _by_result)(instr, operands, results))

    def _add(self, names: Iterable[str], totals: Iterable[float]) -> None:
        for name, total in zip(names, totals, strict=True):
            if total:
                self.use(name, total)
