"""The reference machine: slow, in NumPy, and right by definition."""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.isa.errors import MachineError
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.types import Type
from ontogeny.isa.verify import verify
from ontogeny.machine.base import checked_dials, checked_inputs, checked_state, outermost
from ontogeny.machine.learner import Array
from ontogeny.machine.reference.execution import Execution, Frame, Watch
from ontogeny.machine.reference.meaning import ALL
from ontogeny.machine.sizes import fitted

__all__ = ["Execution", "Frame", "ReferenceMachine"]


class ReferenceMachine:
    """A Machine that runs one instruction at a time. `watch(name, value)` is shown every probe."""

    def __init__(self, program: Program, *, watch: Watch | None = None) -> None:
        verify(program)
        self.program = program
        self.watch = watch
        self._registers: dict[str, Array] | None = None
        self._expansions: dict[tuple[Instr, tuple[Type, ...]], Routine] = {}

    def load(self, state: Mapping[str, Array]) -> None:
        """Take copies of `state`: one array for each register of `program.kept()`, by name."""
        registers = checked_state(self.program, state)
        for array in registers.values():
            array.flags.writeable = False
        self._registers = registers

    def state(self) -> dict[str, Array]:
        """Copies of all registers of `program.kept()`, by name."""
        return {name: array.copy() for name, array in self._loaded().items()}

    def begin(self, routine: str, inputs: Mapping[str, Array], dials: Mapping[str, float]) -> Execution:
        """A call of an outermost routine that waits before its first instruction."""
        program = fitted(self.program, outermost(self.program, routine), inputs)
        called = outermost(program, routine)
        given = {**checked_inputs(program, called, inputs), **checked_dials(program, dials)}
        return Execution(program, called, self._loaded(), given, ALL, self.watch, self._expansions)

    def call(self, routine: str, inputs: Mapping[str, Array], dials: Mapping[str, float]) -> dict[str, Array]:
        """Run an outermost routine; its results by name. Dials that are not given have their declared default."""
        execution = self.begin(routine, inputs, dials)
        while execution.results is None:
            execution.step()
        return execution.results

    def _loaded(self) -> dict[str, Array]:
        if self._registers is None:
            if any(True for _ in self.program.kept()):
                raise MachineError("the machine has no values yet; load a state first")
            self._registers = {}
        return self._registers
