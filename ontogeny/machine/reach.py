"""What executing an instruction, or a whole routine, may do below the instructions that one sees: a bound, not a trace.

A debugger goes over an instruction at once where nothing that it waits for can happen inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from ontogeny.isa import attrs
from ontogeny.isa.macros import expand
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.rules import value_types
from ontogeny.isa.tables import ByIdentity, routines
from ontogeny.isa.types import Type
from ontogeny.isa.verify import CALLED


@dataclass(frozen=True, slots=True)
class Reach:
    """The routines that may be executed, the operations in them and in definitions, and what they make or commit."""

    routines: frozenset[str] = frozenset()
    ops: frozenset[Op] = frozenset()
    names: frozenset[str] = frozenset()

    def __or__(self, other: Reach) -> Reach:
        return Reach(self.routines | other.routines, self.ops | other.ops, self.names | other.names)


NOTHING = Reach()
_insides: ByIdentity[tuple[Reach, ...]] = ByIdentity()
_wholes: ByIdentity[Reach] = ByIdentity()


def insides(program: Program, routine: Routine) -> tuple[Reach, ...]:
    """What each instruction of a routine may do inside: what it calls, or for a macro what defines it."""

    def make() -> tuple[Reach, ...]:
        types = value_types(program, routine)
        return tuple(_inside(program, instr, types) for instr in routine.body)

    return _insides.get((program, routine), make)


def whole(program: Program, routine: Routine) -> Reach:
    """What a routine may do, itself and inside."""

    def make() -> Reach:
        ops = frozenset(instr.op for instr in routine.body)
        names = _made(program, routine.body) | {name for name, _ in routine.returns}
        own = Reach(frozenset({routine.name}), ops, names)
        return _joined([own, *insides(program, routine)])

    return _wholes.get((program, routine), make)


def opens(instr: Instr) -> bool:
    """Whether a debugger can step into an instruction."""
    return instr.op.is_macro or instr.op in CALLED


def _inside(program: Program, instr: Instr, types: Mapping[str, Type]) -> Reach:
    if instr.op.is_macro:
        body = expand(instr, tuple(types[name] for name in instr.args))
        return Reach(ops=frozenset(each.op for each in body))
    called = [routines(program)[attrs.text(instr, attribute)] for attribute in CALLED.get(instr.op, ())]
    return _joined([whole(program, routine) for routine in called]) if called else NOTHING


def _joined(parts: Iterable[Reach]) -> Reach:
    return reduce(or_, parts, NOTHING)


def _made(program: Program, body: Iterable[Instr]) -> frozenset[str]:
    """What is made or committed; with an arena its pieces are."""
    committed = {attrs.text(instr, "name") for instr in body if instr.op is Op.COMMIT}
    pieces = {decl.name for decl in program.decls if decl.arena in committed}
    return frozenset({out for instr in body for out in instr.out} | committed | pieces)
