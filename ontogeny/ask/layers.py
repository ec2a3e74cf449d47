"""What a program's `learn` has inside, read off its text: gradients by parameter, nonlinearities, scores and labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ontogeny.ask.update import update_of
from ontogeny.isa import attrs
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.rules import value_types
from ontogeny.record.stepper import LEARN

MOVES = frozenset({Op.RESHAPE, Op.PERMUTE, Op.CAST, Op.CAT, Op.PAD, Op.BROADCAST, Op.SLICE})
PRODUCTS = frozenset({Op.LINEAR, Op.DOT, Op.CONV})
ONE_SIDED = frozenset({Op.RELU, Op.GELU, Op.SILU})
"""Nonlinearities that give nothing on one side, where a unit can be dead."""
BOUNDED = frozenset({Op.TANH, Op.SIGMOID})
"""Those that flatten on both sides, where a unit can be saturated."""
FORWARD = ("forward", "")
"""Phases of the forward pass, as notes have them; a program that was written by hand has none."""


@dataclass(frozen=True, slots=True)
class Nonlinearity:
    """A hidden nonlinearity: its result's name, its operation, the parameter that feeds it, and which dimension counts
    its units."""

    value: str
    op: Op
    tensor: str
    dimension: int


@dataclass(frozen=True, slots=True)
class Scores:
    """Log-probabilities of classes [rows, classes], the labels i64[rows] they are held to, and the labels' input; and
    the mean of what a label costs by them."""

    value: str
    labels: str
    input: str
    loss: str


def gradients(program: Program) -> dict[str, str]:
    """For every register of parameters that `learn` updates, the value that is its whole gradient."""
    routine = program.routine(LEARN)
    types = value_types(program, routine)
    found = {}
    for decl in program.kept():
        update = update_of(program, routine, decl.name) if decl.kind == "param" else None
        if update is None:
            continue
        known = {name for name in update.gradients if name in types}
        plain: set[str] = set()
        for instr in routine.body:
            if instr.op is Op.CONST or (instr.op is Op.BROADCAST and plain.issuperset(instr.args)):
                plain.update(instr.out)
            elif instr.op in MOVES and not plain.issuperset(instr.args) and (known | plain).issuperset(instr.args):
                known.update(instr.out)
        whole = [out for i in routine.body for out in i.out if out in known and types[out].size == decl.type.size]
        if whole:
            found[decl.name] = whole[-1]
    return found


def nonlinearities(program: Program) -> tuple[Nonlinearity, ...]:
    """The hidden nonlinearities of `learn`: those of the forward pass that a later product uses."""
    return tuple(_nonlinearities(program.routine(LEARN)))


def _nonlinearities(routine: Routine) -> Iterator[Nonlinearity]:
    body = [instr for instr in routine.body if instr.note.phase in FORWARD]
    makers = {out: instr for instr in body for out in instr.out}
    for place, instr in enumerate(body):
        if instr.op in ONE_SIDED | BOUNDED and _is_used(instr, body[place + 1 :]):
            tensor, op = _fed_by(instr, makers)
            yield Nonlinearity(instr.out[0], instr.op, tensor, 1 if op is Op.CONV else -1)


def _is_used(instr: Instr, later: list[Instr]) -> bool:
    """Whether a product of the forward pass depends on the result."""
    reached = set(instr.out)
    for one in later:
        if not reached.isdisjoint(one.args):
            if one.op in PRODUCTS:
                return True
            reached.update(one.out)
    return False


def _fed_by(instr: Instr, makers: dict[str, Instr]) -> tuple[str, Op | None]:
    """The parameter of the nearest product before an instruction, and that product's operation."""
    waiting, seen = [*instr.args], set[str]()
    while waiting:
        name = waiting.pop(0)
        maker = makers.get(name)
        if maker is None or name in seen:
            continue
        seen.add(name)
        if maker.op in PRODUCTS:
            names = [read for arg in maker.args if (read := _read(arg, makers))]
            return next((n for n in names if "weight" in n), names[-1] if names else ""), maker.op
        waiting += maker.args
    return "", None


def _read(value: str, makers: dict[str, Instr]) -> str:
    """The parameter that a value is, perhaps with its elements moved; empty where it is computed."""
    while (maker := makers.get(value)) is not None and maker.op in MOVES and len(maker.args) == 1:
        value = maker.args[0]
    return attrs.text(maker, "name") if maker is not None and maker.op is Op.READ else ""


def scores(routine: Routine) -> Scores | None:
    """The log-probabilities that a cross entropy over classes is taken of; None where the loss is another one.

    Of several, such as those of an ensemble and of each of its members, the ones that most registers lead to, and the
    first of these.
    """
    makers = {out: instr for instr in routine.body for out in instr.out}
    there = [instr for instr in routine.body if instr.op is Op.NLL_LOSS]
    told = [instr for instr in there if instr.note.phase in FORWARD] or there
    if not told:
        return None
    whole = max(told, key=lambda instr: len(_reads(instr.args[0], makers)))
    value, labels = whole.args[:2]
    return Scores(value, labels, _read(labels, makers), whole.out[0])


def charged(program: Program) -> str:
    """The result of `learn` that is the mean of what a label costs by its `scores`; empty where it gives no such."""
    routine = program.routine(LEARN)
    told, makers = scores(routine), {out: instr for instr in routine.body for out in instr.out}
    for name, value in routine.returns if told is not None else ():
        while (maker := makers.get(value)) is not None and maker.op is Op.CAST:
            value = maker.args[0]
        if told is not None and value == told.loss:
            return name
    return ""


def _reads(value: str, makers: dict[str, Instr]) -> set[str]:
    """The names of all that is read on the way to a value."""
    waiting, seen = [value], {value}
    while waiting:
        args = makers[waiting.pop()].args
        new = {arg for arg in args if arg in makers} - seen
        seen |= new
        waiting += new
    return {attrs.text(makers[one], "name") for one in seen if makers[one].op is Op.READ}
