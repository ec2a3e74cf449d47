"""Reasons to stop: at a place in the program, or at what the instruction before just did.

Each looks only at where the execution stands and at what was just made, so that going forwards and going back find the
same stops. It also says what it cannot stop at: inside which instructions, and in which recorded steps; so a debugger
goes over those. A new kind is one class here with these three, and one line in `parse_break`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ontogeny.isa import attrs
from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program
from ontogeny.isa.tables import declarations, routines
from ontogeny.machine.base import value_of
from ontogeny.machine.conditions import Compare, Mask, Place, nonfinite, parse_compare, parse_place
from ontogeny.machine.learner import Array
from ontogeny.machine.reach import Reach
from ontogeny.machine.reference import Execution, Frame


@dataclass(frozen=True, slots=True)
class Moment:
    """Where an execution stands, and the instructions that were just completed, innermost first."""

    execution: Execution
    step: int
    begins: bool = False
    made: tuple[tuple[Frame, Instr], ...] = ()

    @property
    def frame(self) -> Frame | None:
        """The innermost frame, None at the end."""
        return self.execution.stack[-1] if self.execution.stack else None

    def results(self, name: str) -> list[Array]:
        """The values called `name` just made, or to be returned so; of a kept register only commits count."""
        if _is_kept(self.execution.program, name):
            return []
        outermost = self.execution.outermost
        alias = dict(outermost.returns).get(name, name)
        return [
            frame.values[out]
            for frame, instr in self.made
            for out in instr.out
            if out == name or (out == alias and frame.routine is outermost)
        ]

    def committed(self, name: str) -> tuple[Array, Array] | None:
        """The register or piece `name` before and after the commit that was just made to it; None where none was."""
        if not _is_kept(self.execution.program, name):
            return None
        decl = declarations(self.execution.program)[name]
        home = decl.arena or name
        for _, instr in self.made:
            if instr.op is Op.COMMIT and attrs.text(instr, "name") == home:
                return self.execution.before(name), value_of(decl, self.execution.staged)
        return None


@dataclass(frozen=True, slots=True)
class Taken:
    """Recorded steps: their numbers, what one may do at all, and their scalar results by value, one for each step."""

    numbers: npt.NDArray[np.int64]
    reach: Reach
    results: Mapping[str, Array]

    def all(self, possible: bool) -> Mask:
        """All of the steps, or none."""
        return np.full(len(self.numbers), possible)


class Breakpoint(Protocol):
    """A reason to stop; `hit` says it in words, empty where there is none."""

    def hit(self, moment: Moment) -> str:
        """What was found at this moment."""

    def inside(self, reach: Reach) -> bool:
        """Whether it may stop inside an instruction with this reach."""

    def steps(self, taken: Taken) -> Mask:
        """The recorded steps in which it may stop."""


@dataclass(frozen=True, slots=True)
class AtInstruction:
    """Before an instruction, by its routine and its number there, counted from one."""

    routine: str
    number: int

    def hit(self, moment: Moment) -> str:
        """Whether the execution stands there."""
        frame = moment.frame
        return str(self) if frame and (frame.routine.name, frame.position + 1) == (self.routine, self.number) else ""

    def inside(self, reach: Reach) -> bool:
        """Whether its routine may be called there."""
        return self.routine in reach.routines

    def steps(self, taken: Taken) -> Mask:
        """All, where the routine may be called."""
        return taken.all(self.routine in taken.reach.routines)

    def __str__(self) -> str:
        return f"{self.routine}:{self.number}"


@dataclass(frozen=True, slots=True)
class OnOp:
    """Before any instruction of an operation."""

    op: Op

    def hit(self, moment: Moment) -> str:
        """Whether the next instruction is one."""
        instr = moment.frame.instruction if moment.frame else None
        return str(self) if instr and instr.op is self.op else ""

    def inside(self, reach: Reach) -> bool:
        """Whether the operation may occur there."""
        return self.op in reach.ops

    def steps(self, taken: Taken) -> Mask:
        """All, where the operation may occur."""
        return taken.all(self.op in taken.reach.ops)

    def __str__(self) -> str:
        return f"op {self.op.text}"


@dataclass(frozen=True, slots=True)
class InRoutine:
    """At the beginning of a routine."""

    name: str

    def hit(self, moment: Moment) -> str:
        """Whether it is about to begin."""
        frame = moment.frame
        return str(self) if frame and frame.position == 0 and frame.routine.name == self.name else ""

    def inside(self, reach: Reach) -> bool:
        """Whether it may be called there."""
        return self.name in reach.routines

    def steps(self, taken: Taken) -> Mask:
        """All, where it may be called."""
        return taken.all(self.name in taken.reach.routines)

    def __str__(self) -> str:
        return f"routine {self.name}"


@dataclass(frozen=True, slots=True)
class AtStep:
    """At the beginning of a training step."""

    number: int

    def hit(self, moment: Moment) -> str:
        """Whether it is about to begin."""
        return str(self) if moment.step == self.number and moment.begins else ""

    def inside(self, reach: Reach) -> bool:
        """Never."""
        return False

    def steps(self, taken: Taken) -> Mask:
        """The one."""
        return np.equal(taken.numbers, self.number)

    def __str__(self) -> str:
        return f"step {self.number}"


@dataclass(frozen=True, slots=True)
class When:
    """After an instruction that made or committed a value for which a comparison holds."""

    compare: Compare

    def hit(self, moment: Moment) -> str:
        """The comparison, where it holds."""
        place = self.compare.place
        committed = moment.committed(place.name)
        made = [*moment.results(place.name), *([committed[1]] if committed else [])]
        return next((f"{self.compare}: {brief(place.of(value))}" for value in made if self.compare.holds(value)), "")

    def inside(self, reach: Reach) -> bool:
        """Whether the value may be made there."""
        return self.compare.place.name in reach.names

    def steps(self, taken: Taken) -> Mask:
        """Those whose recorded result it holds for; of a value that is not recorded all."""
        if self._result(taken) is None:
            return taken.all(self.compare.place.name in taken.reach.names)
        return self.recorded(taken)

    def recorded(self, taken: Taken) -> Mask:
        """Those whose recorded result it holds for; none where it is of no recorded result."""
        values = self._result(taken)
        return taken.all(False) if values is None else self.compare.each(values)

    def _result(self, taken: Taken) -> Array | None:
        return None if self.compare.place.index else taken.results.get(self.compare.place.name)

    def __str__(self) -> str:
        return f"if {self.compare}"


@dataclass(frozen=True, slots=True)
class WhenNonfinite:
    """After an instruction that made NaN or infinity out of finite operands; a constant infinity is meant so."""

    def hit(self, moment: Moment) -> str:
        """The value that holds it."""
        for frame, instr in moment.made:
            bad = [out for out in instr.out if nonfinite(frame.values[out])]
            if bad and instr.op is not Op.CONST and not any(nonfinite(frame.values[arg]) for arg in instr.args):
                return f"%{bad[0]} is not finite, by {frame.routine.name}:{frame.routine.body.index(instr) + 1}"
        return ""

    def inside(self, reach: Reach) -> bool:
        """Whether a routine is called there; a macro counts as one instruction."""
        return bool(reach.routines)

    def steps(self, taken: Taken) -> Mask:
        """All."""
        return taken.all(True)

    def __str__(self) -> str:
        return "if nonfinite"


@dataclass(frozen=True, slots=True)
class Watch:
    """After a commit that changes a register, or after an instruction that makes a value."""

    place: Place

    def hit(self, moment: Moment) -> str:
        """What it was and what it is."""
        if committed := moment.committed(self.place.name):
            before, after = map(self.place.of, committed)
            same = before.tobytes() == after.tobytes()
            return "" if same else f"{self.place}: {brief(before)} -> {brief(after)}"
        return "".join(f"{self.place} = {brief(self.place.of(value))}" for value in moment.results(self.place.name)[:1])

    def inside(self, reach: Reach) -> bool:
        """Whether the value may be made there."""
        return self.place.name in reach.names

    def steps(self, taken: Taken) -> Mask:
        """All, where the value may be made."""
        return taken.all(self.place.name in taken.reach.names)

    def __str__(self) -> str:
        return f"watch {self.place}"


def parse_break(text: str, program: Program, routine: str) -> Breakpoint:
    """The breakpoint that a text says; a bare number counts in `routine`. Raises MachineError with what can be said."""
    words = text.split()
    first, rest = (words[0] if words else ""), " ".join(words[1:])
    if first in ("if", "when") or words == ["nonfinite"] or first == "changed" or parse_compare(text):
        return parse_condition(rest if first in ("if", "when") else text, program)
    if first == "step" and rest.isdecimal() and len(rest) < 19:
        return AtStep(int(rest))
    if first == "op" or (len(words) == 1 and first.upper() in Op.__members__ and first not in routines(program)):
        return OnOp(_op(rest or first))
    if first == "routine" and rest:
        return InRoutine(_routine(program, rest))
    if len(words) != 1:
        raise MachineError(f"{text!r} says no place; write NUMBER, ROUTINE:NUMBER, OP, ROUTINE, step N or a condition")
    return _in_program(first, program, routine)


def parse_condition(text: str, program: Program) -> Breakpoint:
    """The condition that a text says, over names that the program has."""
    words = text.split()
    if words == ["nonfinite"]:
        return WhenNonfinite()
    if words[:1] == ["changed"]:
        return Watch(known(parse_place(" ".join(words[1:])), program))
    if compare := parse_compare(text):
        known(compare.place, program)
        return When(compare)
    raise MachineError(f"{text!r} is no condition; write NAME > NUMBER, nonfinite, or changed NAME")


def known(place: Place, program: Program) -> Place:
    """The place, where the program has anything of that name; MachineError where it does not."""
    names = {decl.name for decl in program.decls}
    for routine in program.routines:
        names |= {name for name, _ in (*routine.params, *routine.returns)}
        names.update(out for instr in routine.body for out in instr.out)
    if place.name not in names:
        raise MachineError(f"nothing is called {place.name!r}; list shows the values, info registers what is declared")
    return place


def brief(value: Array) -> str:
    """A value in a few words: a scalar as it is, a larger one by its beginning."""
    if value.ndim == 0:
        return f"{value[()]!s}"
    flat = value.reshape(-1)
    more = ", ..." if flat.size > 4 else ""
    return f"[{', '.join(str(one) for one in flat[:4])}{more}]"


def _is_kept(program: Program, name: str) -> bool:
    decl = declarations(program).get(name)
    return decl is not None and decl.kind in ("param", "state")


def _in_program(word: str, program: Program, routine: str) -> Breakpoint:
    name, colon, number = word.rpartition(":")
    if number.isdecimal() and len(number) < 10:
        body = routines(program)[_routine(program, name if colon else routine)].body
        if not 1 <= int(number) <= len(body):
            raise MachineError(f"{name or routine} has instructions 1 to {len(body)}, not {number}")
        return AtInstruction(name if colon else routine, int(number))
    return InRoutine(_routine(program, word))


def _routine(program: Program, name: str) -> str:
    if name not in routines(program):
        raise MachineError(f"there is no routine or operation {name!r}; routines are {', '.join(routines(program))}")
    return name


def _op(name: str) -> Op:
    if name.upper() not in Op.__members__:
        raise MachineError(f"there is no operation {name!r}; docs/SPEC.md lists them")
    return Op[name.upper()]
