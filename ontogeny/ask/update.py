"""The part of a routine that updates one register: the instructions from its gradients to its commit.

They are those whose note says that they are the update. Where a program has no notes, an instruction belongs to the
update if it is linear and something in it does not depend on the batch: w - lr * gradient, but not the error that the
gradient is made of. What enters from elsewhere are the gradients. Macros but `sign` are in their base operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ontogeny.isa import attrs
from ontogeny.isa.errors import RecordError
from ontogeny.isa.macros import expand
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.rules import result_types, value_types
from ontogeny.isa.tables import declarations
from ontogeny.isa.types import Type
from ontogeny.isa.verify import CALLED

UPDATE = "update"
INLINE = (Op.READ, Op.CONST, Op.IOTA)
"""What an update may share with the rest of a routine without having it from there."""
MOVES = (Op.CAST, Op.RESHAPE, Op.PERMUTE, Op.SLICE, Op.BROADCAST, Op.CAT, Op.PAD, Op.NEG, Op.SCALE)
SUMS = (Op.ADD, Op.SUB, Op.AXPY, Op.LERP, Op.ADDCMUL, Op.ADDCDIV)
FACTORS = (Op.MUL, Op.DIV)


@dataclass(frozen=True, slots=True)
class Update:
    """How a register comes to its new value: base instructions in order, the new value, and what enters as gradient."""

    register: str
    value: str
    body: tuple[Instr, ...]
    gradients: tuple[str, ...]
    types: dict[str, Type]

    @property
    def reads(self) -> tuple[str, ...]:
        """The declared names that it reads."""
        return tuple(attrs.text(instr, "name") for instr in self.body if instr.op is Op.READ)


def update_of(program: Program, routine: Routine, register: str) -> Update | None:
    """How `register` is updated, or None where the routine leaves it alone.

    Raises RecordError where a routine that it calls commits the register: what happens in there is not taken apart.
    """
    commit = next((i for i in routine.body if i.op is Op.COMMIT and attrs.text(i, "name") == register), None)
    if commit is None:
        if register in _committed_inside(program, routine):
            raise RecordError(
                f"{register!r} is committed in a routine that {routine.name!r} calls, where it cannot be taken apart; "
                f"return the new value from there and commit it in {routine.name!r}"
            )
        return None
    types = dict(value_types(program, routine))
    inside = _marked(routine) or _inferred(program, routine)
    body, gradients = _led(routine, commit.args[0], inside)
    return Update(register, commit.args[0], tuple(expanded(body, types)), gradients, types)


def _committed_inside(program: Program, routine: Routine) -> set[str]:
    """What the routines commit that a routine calls, and those that they call."""
    waiting, found = [routine], set[str]()
    while waiting:
        for instr in waiting.pop().body:
            if instr.op is Op.COMMIT:
                found.add(attrs.text(instr, "name"))
            waiting += [program.routine(attrs.text(instr, name)) for name in CALLED.get(instr.op, ())]
    return found


def _marked(routine: Routine) -> set[str]:
    """The values that notes say to be of the update."""
    return {out for instr in routine.body if instr.note.phase == UPDATE for out in instr.out}


def _inferred(program: Program, routine: Routine) -> set[str]:
    """The values of the update of a routine without notes."""
    batch, kept, inside = set[str](), set[str](), set[str]()
    for instr in routine.body:
        fed = [arg for arg in instr.args if arg in batch]
        reads = declarations(program)[attrs.text(instr, "name")].kind if instr.op is Op.READ else ""
        if reads == "input" or fed:
            batch.update(instr.out)
            if _carries(instr, fed, kept, inside):
                inside.update(instr.out)
        else:
            inside.update(instr.out)
            if reads in ("param", "state") or any(arg in kept for arg in instr.args):
                kept.update(instr.out)
    return inside


def _carries(instr: Instr, fed: list[str], kept: set[str], inside: set[str]) -> bool:
    """Whether a linear instruction on the batch has a term that comes from registers alone, or carries one on."""
    if instr.op in MOVES or (instr.op in FACTORS and len(fed) == 1 and fed[0] == instr.args[0]):
        return any(arg in inside for arg in fed)
    if instr.op in FACTORS:
        return len(fed) == 1 and fed[0] in inside
    return instr.op in SUMS and any(arg in inside if arg in fed else arg in kept for arg in instr.args)


def _led(routine: Routine, target: str, inside: set[str]) -> tuple[list[Instr], tuple[str, ...]]:
    """The instructions inside that lead to a value, in order, and the values from outside that they use."""
    needed, body, gradients = {target}, [], dict[str, None]()
    for instr in reversed(routine.body):
        if not needed.intersection(instr.out):
            continue
        if instr.op in INLINE or inside.issuperset(instr.out):
            body.append(instr)
            needed.update(instr.args)
        else:
            gradients.update(dict.fromkeys(out for out in instr.out if out in needed))
    return body[::-1], tuple(gradients)[::-1]


def expanded(body: Iterable[Instr], types: dict[str, Type]) -> Iterator[Instr]:
    """Instructions with macros but `sign` in base operations; the types of what is new are added to `types`."""
    for instr in body:
        if instr.op.is_macro and instr.op is not Op.SIGN:
            for base in expand(instr, tuple(types[arg] for arg in instr.args), f"{instr.out[0]}/"):
                types.update(zip(base.out, result_types(base, tuple(types[arg] for arg in base.args)), strict=True))
                yield base
        else:
            yield instr
