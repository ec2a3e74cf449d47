"""One call of an outermost routine, advanced one instruction at a time.

The state of a call is an explicit stack of frames, so that a debugger can stop before any instruction, look at every
value, and go on. Control operations push frames and say what is to happen with their results (`resume`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.rules import instruction_text
from ontogeny.isa.tables import declarations, routines
from ontogeny.isa.types import Type
from ontogeny.machine.base import value_of
from ontogeny.machine.learner import Array

Values = tuple[Array, ...]
Resume = Callable[[Values], None]
Watch = Callable[[str, Array], None]
Meaning = Callable[["Execution", Instr, Values], Values | None]
FAULTS = (MachineError, ValueError, TypeError, IndexError, KeyError, OverflowError, MemoryError)


@dataclass(slots=True)
class Frame:
    """A routine that is under way: where it stands and the values that it has so far.

    `position` is the instruction that comes next, or the one that waits for the frame above. `turn` is the number of
    the round where a loop runs it. Values must not be written into.
    """

    routine: Routine
    position: int
    values: dict[str, Array]
    resume: Resume = field(repr=False)
    turn: int | None = None

    @property
    def instruction(self) -> Instr | None:
        """The instruction at the position; None where the routine is at its end."""
        return self.routine.body[self.position] if self.position < len(self.routine.body) else None


class Execution:
    """A call under way. `step` until `finished`; then `results` holds what it returned, and its commits have been made.

    An execution that is given up half way has changed nothing.
    """

    def __init__(
        self,
        program: Program,
        routine: Routine,
        registers: dict[str, Array],
        given: Mapping[str, Array],
        meanings: Mapping[Op, Meaning],
        watch: Watch | None = None,
        expansions: dict[tuple[Instr, tuple[Type, ...]], Routine] | None = None,
    ) -> None:
        """`registers` are replaced at the end; `given` are checked inputs and dials; `watch` is shown every probe."""
        self.program = program
        self.stack: list[Frame] = []
        self.staged: dict[str, Array] = {}
        self.results: dict[str, Array] | None = None
        self.watch = watch
        self.expansions = {} if expansions is None else expansions
        self._meanings = meanings
        self._registers = registers
        self._began = dict(registers)
        self._given = given
        self.outermost = routine
        self.enter(routine, (), self._finish)
        self._settle()

    @property
    def finished(self) -> bool:
        """Whether the outermost routine has returned."""
        return self.results is not None

    @property
    def frame(self) -> Frame:
        """The innermost frame. Raises MachineError once the execution has finished."""
        if not self.stack:
            raise MachineError(f"routine {self.outermost.name!r} has finished; begin another call")
        return self.stack[-1]

    def step(self) -> None:
        """Execute one instruction. Raises MachineError that names routine, instruction and value."""
        frame = self.frame
        instr = frame.routine.body[frame.position]
        try:
            results = self._meanings[instr.op](self, instr, tuple(frame.values[arg] for arg in instr.args))
            if results is not None:
                self.bind(results)
            self._settle()
        except FAULTS as error:
            raise MachineError(f"{self._whereabouts()}: {error}") from error

    def over(self) -> None:
        """Execute one instruction with all that it calls. Raises MachineError as `step` does."""
        depth = len(self.stack)
        self.step()
        while len(self.stack) > depth:
            self.step()

    def enter(self, routine: Routine, operands: Values, resume: Resume, turn: int | None = None) -> None:
        """Push a frame of `routine`; its results will be handed to `resume`."""
        names = (name for name, _ in routine.params)
        self.stack.append(Frame(routine, 0, dict(zip(names, operands, strict=True)), resume, turn))

    def bind(self, results: Values) -> None:
        """The instruction at which the innermost frame stands has these results; the frame goes on to the next."""
        frame = self.stack[-1]
        frame.values.update(zip(frame.routine.body[frame.position].out, results, strict=True))
        frame.position += 1

    def read(self, name: str) -> Array:
        """A declared register, piece, dial or input as it was when the outermost routine began."""
        if name in self._given:
            return self._given[name]
        decl = declarations(self.program)[name]
        return value_of(decl, self._registers)

    def before(self, name: str) -> Array:
        """A register or piece as it was when the outermost routine began, also once that has ended."""
        decl = declarations(self.program)[name]
        return value_of(decl, self._began)

    def commit(self, name: str, value: Array) -> None:
        """`name` becomes `value` when the outermost routine has ended."""
        kept = value.copy(order="C")
        kept.flags.writeable = False
        self.staged[name] = kept

    def routine(self, name: str) -> Routine:
        """The program's routine called `name`."""
        return routines(self.program)[name]

    def _settle(self) -> None:
        while self.stack and self.stack[-1].instruction is None:
            frame = self.stack.pop()
            frame.resume(tuple(frame.values[value] for _, value in frame.routine.returns))

    def _finish(self, results: Values) -> None:
        self._registers.update(self.staged)
        names = (name for name, _ in self.outermost.returns)
        self.results = {name: value.copy(order="C") for name, value in zip(names, results, strict=True)}

    def _whereabouts(self) -> str:
        return ", called from ".join(map(_place, reversed(self.stack)))


def _place(frame: Frame) -> str:
    instr = frame.instruction
    text = f" ({instruction_text(instr)})" if instr else ""
    return f"routine {frame.routine.name!r}, instruction {frame.position + 1}{text}"
