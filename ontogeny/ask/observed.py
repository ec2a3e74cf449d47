"""Some steps of a run gone through instruction by instruction: what each one read, made, cost and took.

An instruction of `learn` is executed by the run's own kernels where its machine has instructions to wait at, and timed
there; what stands inside a called routine is the reference machine's, and so is its time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ontogeny.ask.alternative import checked_native
from ontogeny.data.base import Array
from ontogeny.isa.cost import Cost, instruction_cost
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Instr
from ontogeny.isa.tables import declarations
from ontogeny.isa.verify import CALLED
from ontogeny.machine.formats import type_of
from ontogeny.machine.reference import Execution
from ontogeny.record.recorded import Recorded
from ontogeny.record.steps import Steps
from ontogeny.record.trace.traces import Window


@dataclass(frozen=True, slots=True)
class Made:
    """One instruction executed: the routine it stands in, its number there (from 1), what it read and made."""

    routine: str
    number: int
    instr: Instr
    operands: tuple[Array, ...]
    results: tuple[Array, ...]
    seconds: float

    @property
    def cost(self) -> Cost:
        """Operations and bytes, by the shapes that it met."""
        operands, results = (tuple(map(type_of, arrays)) for arrays in (self.operands, self.results))
        return instruction_cost(self.instr, operands, results)


class Step:
    """One step: `entry` are the registers that `learn` begins with. Iterated once; `after` holds what it led to."""

    def __init__(self, steps: Steps, step: int) -> None:
        self.number = step
        self._steps = steps
        self._execution: Execution = steps.begin(step, steps.state(step))
        self.entry: Mapping[str, Array] = steps.machine.state()
        self.given = {
            decl.name: self._execution.read(decl.name)
            for decl in declarations(self._execution.program).values()
            if decl.kind in ("dial", "input") and self._given(decl.name)
        }
        self.values: dict[str, Array] = {}

    @property
    def after(self) -> Mapping[str, Array]:
        """The registers once it has ended."""
        return self._steps.machine.state()

    def __iter__(self) -> Iterator[Made]:
        execution, outermost = self._execution, self._execution.outermost
        while not execution.finished:
            frame, instr = execution.frame, execution.frame.instruction
            assert instr is not None  # a frame at its end has been left
            if instr.op in CALLED:
                execution.step()
                continue
            number, operands = frame.position + 1, tuple(frame.values[arg] for arg in instr.args)
            began = time.perf_counter()
            execution.over()
            seconds = getattr(execution, "took", time.perf_counter() - began)
            if frame.routine is outermost:
                self.values = frame.values
            yield Made(
                frame.routine.name, number, instr, operands, tuple(frame.values[out] for out in instr.out), seconds
            )

    def _given(self, name: str) -> bool:
        try:
            self._execution.read(name)
        except KeyError:
            return False
        return True


def observed(run: Recorded, sampled: tuple[int, ...]) -> Iterator[Step]:
    """The steps from these states, one after another; each is to be gone through before the next."""
    steps = Steps(run)
    for step in sampled:
        yield Step(steps, step)


def sampled(run: Recorded, window: Window, count: int) -> tuple[int, ...]:
    """At most so many states that a step is taken from, evenly spaced in a window. RecordError where there is none.

    A window without a beginning begins with the run's program.
    """
    checked_native(run)
    steps = np.arange(run.history.first if window.start is None else 0, run.step)
    steps = steps[window.of(steps)]
    if not len(steps) or count < 1:
        raise RecordError(f"no step is taken from a state in {window}; the run has the steps from 0 to {run.step - 1}")
    return tuple(int(steps[at]) for at in np.unique(np.linspace(0, len(steps) - 1, count).round().astype(int)))
