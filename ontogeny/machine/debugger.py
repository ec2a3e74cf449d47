"""Stepping through one call of a routine on the reference machine, forwards and back.

A call is a pure function of where it began, so a place in it is a count of executed instructions, and going back is
beginning again and going less far. An instruction is executed at once where nobody steps into it and no breakpoint may
stop inside. Every move says why it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from ontogeny.isa.errors import MachineError
from ontogeny.isa.program import Instr, Note, Routine
from ontogeny.isa.tables import declarations
from ontogeny.isa.text.lines import InstrLine, print_line
from ontogeny.machine.base import Machine
from ontogeny.machine.breakpoints import Breakpoint, Moment
from ontogeny.machine.learner import Array
from ontogeny.machine.reach import insides, opens
from ontogeny.machine.reference import Execution, Frame

Point = tuple[int, int]
"""A place in a call: the instructions of its routine that are done, and those executed inside the next one."""
START: Point = 0, 0


class Begins(Machine, Protocol):
    """A machine whose calls can be gone through instruction by instruction."""

    def begin(self, routine: str, inputs: Mapping[str, Array], dials: Mapping[str, float]) -> Execution:
        """A call of an outermost routine that waits before its first instruction."""


class Why(Enum):
    """Why a move stopped."""

    MOVED = "moved"
    HIT = "a breakpoint"
    END = "the end"
    BEGINNING = "the beginning"
    ERROR = "an error"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a move stopped, and what there is to say about it."""

    why: Why
    text: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction as it is listed: its number, its text, and the user's own line."""

    number: int
    text: str
    where: str
    phase: str
    current: bool


class Debugger:
    """Drives executions that `begin` makes, always the same. `breakpoints` are numbered by the caller and shared."""

    def __init__(
        self, begin: Callable[[], Execution], breakpoints: dict[int, Breakpoint] | None = None, step: int = 0
    ) -> None:
        self._begin = begin
        self.breakpoints = {} if breakpoints is None else breakpoints
        self.number = step
        self.restart()

    def restart(self, point: Point = START) -> None:
        """Begins again and goes as far as `point`."""
        self.execution = self._begin()
        self.outermost = self.execution.frame
        self._inner = 0
        self.made: tuple[tuple[Frame, Instr], ...] = ()
        while self.point[0] < point[0] and not self.finished:
            self._one(over=True)
        while self.point < point and not self.finished:
            self._one()

    @property
    def point(self) -> Point:
        """How far it has come."""
        return self.outermost.position, self._inner

    @property
    def finished(self) -> bool:
        """Whether the routine has returned."""
        return self.execution.finished

    @property
    def depth(self) -> int:
        """How many frames there are, 0 at the end."""
        return len(self.execution.stack)

    @property
    def results(self) -> dict[str, Array]:
        """What the routine returned, empty before it has."""
        return self.execution.results or {}

    def step(self) -> Stop:
        """One instruction, into what it calls or is defined by."""
        return self._until(lambda: True, into=True)

    def next(self) -> Stop:
        """One instruction of this routine, over what it calls."""
        depth = self.depth
        return self._until(lambda: self.depth <= depth)

    def out(self) -> Stop:
        """To where this routine returns to."""
        depth = self.depth
        return self._until(lambda: self.depth < depth)

    def go(self) -> Stop:
        """On to the next breakpoint, or the end."""
        return self._until(lambda: False)

    def back(self) -> Stop:
        """The state one instruction earlier, at the end of what was called where it was a call."""
        done, inner = self.point
        if self.point == START:
            return Stop(Why.BEGINNING)
        if not inner:
            done, inner = done - 1, self._length(done - 1)
        self.restart((done, inner - 1))
        return Stop(Why.MOVED)

    def reverse(self) -> Stop:
        """Back to the last breakpoint before here; to the beginning where there is none."""
        return self._last_hit(self.point)

    def last_hit(self) -> Stop:
        """To the last breakpoint of the whole call, its end included; to the beginning where there is none."""
        return self._last_hit(None)

    def to_end(self) -> None:
        """To the end, whatever breakpoints there are. Raises MachineError where the routine cannot go on."""
        while not self.finished:
            self._one(over=True)

    def hits(self) -> str:
        """The breakpoints that say stop here, in words."""
        moment = Moment(self.execution, self.number, self.point == START, self.made)
        found = ((number, point.hit(moment)) for number, point in sorted(self.breakpoints.items()))
        return "; ".join(f"{number}: {text}" for number, text in found if text)

    def frame(self) -> Frame:
        """The innermost frame. Raises MachineError at the end, where there is none."""
        if self.finished:
            raise MachineError("the routine has returned; go back, or on to the next step")
        return self.execution.frame

    def value(self, name: str) -> Array:
        """A value of the innermost frames that have it, a result, or else a register, input or dial as it was read."""
        for frame in reversed(self.execution.stack):
            if name in frame.values:
                return frame.values[name]
        outermost = self.execution.outermost
        if name in self.results:
            return self.results[name]
        alias = dict(outermost.returns).get(name, "")
        if self.execution.stack and alias in self.execution.stack[0].values:
            return self.execution.stack[0].values[alias]
        if name in declarations(self.execution.program):
            return self._declared(name)
        raise MachineError(f"{name!r} has no value here; info values lists what there is")

    def listing(self, around: int = 5) -> tuple[Routine, list[Line]]:
        """The instructions about the present one, with the user's own line of each."""
        frame = self.execution.stack[-1] if self.execution.stack else None
        routine = frame.routine if frame else self.execution.outermost
        position = frame.position if frame else len(routine.body)
        first = max(0, min(position - around, len(routine.body) - 2 * around - 1))
        chosen = enumerate(routine.body[first : first + 2 * around + 1], first)
        return routine, [line_of(instr, place + 1, place == position) for place, instr in chosen]

    def _declared(self, name: str) -> Array:
        try:
            return self.execution.read(name)
        except KeyError:
            raise MachineError(f"input {name!r} is not read by this routine, so it has no value") from None

    def _until(self, arrived: Callable[[], bool], into: bool = False) -> Stop:
        while self.depth:
            try:
                self._one(over=not into and self._closed())
            except MachineError as error:
                return Stop(Why.ERROR, str(error))
            if text := self.hits():
                return Stop(Why.HIT, text)
            if self.depth and arrived():
                return Stop(Why.MOVED)
        return Stop(Why.END)

    def _closed(self) -> bool:
        """Whether no breakpoint may stop inside the instruction that comes next."""
        if self.depth != 1 or self.outermost.instruction is None:
            return False
        reach = insides(self.execution.program, self.outermost.routine)[self.outermost.position]
        return not any(point.inside(reach) for point in self.breakpoints.values())

    def _one(self, *, over: bool = False) -> None:
        before = [(frame, frame.position) for frame in self.execution.stack]
        done = self.outermost.position
        if over:
            self.execution.over()
        else:
            self.execution.step()
        self._inner = 0 if self.outermost.position > done else self._inner + 1
        self.made = tuple(
            (frame, frame.routine.body[place]) for frame, place in reversed(before) if frame.position > place
        )

    def _length(self, done: int) -> int:
        """How many instructions are executed one by one in the one that follows `done`."""
        if not opens(self.outermost.routine.body[done]):
            return 1
        self.restart((done, 0))
        count = 0
        while self.outermost.position == done:
            self._one()
            count += 1
        return count

    def _last_hit(self, end: Point | None) -> Stop:
        """The last stop before `end`: once through to find it, and once more to reach it."""
        self.restart()
        found, text = START, "" if end == START else self.hits()
        while not self.finished:
            try:
                self._one(over=self._closed())
            except MachineError:
                break
            if end is not None and self.point >= end:
                break
            if here := self.hits():
                found, text = self.point, here
        self.restart(found)
        return Stop(Why.HIT, text) if text else Stop(Why.BEGINNING)


def line_of(instr: Instr, number: int, current: bool = False) -> Line:
    """An instruction as it is listed, without the note that the canonical text has behind it."""
    text = print_line(InstrLine(replace(instr, note=Note()), (None,) * len(instr.out))).strip()
    return Line(number, text, instr.note.where, instr.note.phase, current)


def backtrace(stack: Sequence[Frame]) -> list[str]:
    """Where every frame stands, innermost first."""
    lines = []
    for frame in reversed(stack):
        turn = f", round {frame.turn}" if frame.turn is not None else ""
        text = f"  {line_of(frame.instruction, 0).text}" if frame.instruction else ""
        lines.append(f"{frame.routine.name}:{frame.position + 1}{turn}{text}")
    return lines
