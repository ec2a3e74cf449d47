"""The steps of a run, each to be gone through instruction by instruction from the recorded state that it starts from.

Inside a step the values are those of the run's own machine where that has instructions to wait at, else the reference
machine's; `says` tells which. Once a dial is set here, states from that step on are this session's own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.isa.rules import routine_results
from ontogeny.isa.types import DType
from ontogeny.machine.base import Machine
from ontogeny.machine.breakpoints import Taken
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.reach import insides, whole
from ontogeny.machine.reference import Execution
from ontogeny.record.creating import check_dial
from ontogeny.record.machines import stepping
from ontogeny.record.recorded import Recorded
from ontogeny.record.replay import to_step
from ontogeny.record.stepper import LEARN

ROUNDED = (DType.I64, DType.U64)
"""Formats that the record's f64 does not hold exactly."""
KEPT = 8
"""States of neighbouring steps that are kept, so that going back over steps does not begin at a keyframe each time."""


class States:
    """The recorded states, one after another on the run's machine, the last few remembered."""

    def __init__(self, run: Recorded) -> None:
        self.run = run
        self.parked: dict[str, Array] | None = None
        self._at = -1
        self._kept: dict[int, dict[str, Array]] = {}

    def at(self, step: int) -> dict[str, Array]:
        """The state of a step. Raises RecordError where it is not recorded or does not replay."""
        if not 0 <= step <= self.run.step:
            raise RecordError(f"step {step} is not recorded; there are steps 0 to {self.run.step}")
        if step < self.run.history.first:
            raise RecordError(self.run.history.elsewhere(step))
        if step not in self._kept:
            self._walk(step)
        return self._kept[step]

    def _walk(self, step: int) -> None:
        seat = self.run._seat
        with seat.lock:
            machine = self.run._machine()
            goes_on = seat.holder is self and self._at < step <= self._at + KEPT
            seat.leave(self)
            if not goes_on:
                seat.clear()
                self._at = max(self.run.history.first, step - KEPT + 1)
                to_step(machine, self.run.history, self.run._stepper, self._at)
                self._keep(machine)
            while self._at < step:
                self.run._stepper.take(machine, self._at)
                self._at += 1
                self._keep(machine)
            # Only now: where a walk was interrupted, the machine's state is nobody's.
            seat.holder = self

    def _keep(self, machine: Machine) -> None:
        self._kept[self._at] = machine.state()
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]


class Steps:
    """Executions of `learn` from the state of any step, on a machine of their own."""

    def __init__(self, run: Recorded) -> None:
        self.run = run
        self.states = States(run)
        self.machine, self.says = stepping(run._machine(), run.program)
        self.turned: dict[int, dict[str, float]] = {}
        self._own: tuple[int, dict[str, Array]] | None = None

    @property
    def diverted(self) -> int | None:
        """The first step with a dial set here, None where there is none."""
        return min(self.turned, default=None)

    def begin(self, step: int, state: Mapping[str, Array]) -> Execution:
        """The step's `learn`, about to begin; its edits and calls have happened."""
        self.machine.load(state)
        batch, dials = self.run._stepper.prepare(self.machine, step)
        return self.machine.begin(LEARN, batch, {**dials, **self.dials(step)})

    def state(self, step: int) -> dict[str, Array]:
        """The state that a step starts from: the recorded one, or after a diversion what it has led to."""
        first = self.run.step if self.diverted is None else min(self.diverted, self.run.step)
        if step <= first:
            return self.states.at(step)
        if self._own is None or not first < self._own[0] <= step:
            self._own = first, self.states.at(first)
        at, state = self._own
        while at < step:
            execution = self.begin(at, state)
            while not execution.finished:
                execution.over()
            at, state = at + 1, self.machine.state()
        self._own = at, state
        return state

    def after(self, step: int) -> dict[str, Array]:
        """The state after a step whose execution has just ended: its own where it has the recorded hash."""
        recorded = self.run.history.hash_row(step + 1)
        if self.diverted is None and recorded is not None:
            state = self.machine.state()
            if self.run.history.hasher.row(state) == recorded:
                return state
        return self.state(step + 1)

    def taken(self, first: int, last: int) -> Taken:
        """What the record says of the steps `first` to `last`; nothing of results after a diversion."""
        numbers = np.arange(first, last + 1, dtype=np.int64)
        reach = whole(self.run.program, self.run.program.routine(LEARN))
        told = self.diverted is None or last < self.diverted
        return Taken(numbers, reach, self._results(first, last) if told else {})

    def _results(self, first: int, last: int) -> dict[str, Array]:
        """The recorded results by every name that means such a result and nothing else that a step makes."""
        program, routine = self.run.program, self.run.program.routine(LEARN)
        columns = self._columns(first, last)
        own = {out for instr in routine.body for out in instr.out}
        inner = frozenset[str]().union(*(reach.names for reach in insides(program, routine)))
        returned, found = dict(routine.returns), {}
        for name in {*returned, *columns} - inner - {decl.name for decl in program.kept()}:
            made = {name, returned.get(name, name)} & own
            if len(made) == 1 and made <= columns.keys():
                found[name] = columns[made.pop()]
        return found

    def _columns(self, first: int, last: int) -> dict[str, Array]:
        """The recorded results by the values that were returned, in their formats; empty where some are missing."""
        routine = self.run.program.routine(LEARN)
        recorded = self.run.metrics(first + 1, last + 1)
        if len(recorded["step"]) != last + 1 - first:
            return {}
        types = routine_results(self.run.program, routine)
        pairs = zip(routine.returns, types, strict=True)
        return {
            value: recorded[name].astype(NUMPY[type.dtype])
            for (name, value), type in pairs
            if name in recorded and type.dtype not in ROUNDED
        }

    def turn(self, step: int, name: str, value: float) -> None:
        """A dial has another value from a step on, in this session alone."""
        self.turned.setdefault(step, {})[name] = check_dial(self.run.program, name, value)
        self._own = None

    def dials(self, step: int) -> dict[str, float]:
        """The dials set here that are in force at a step."""
        found: dict[str, float] = {}
        for first in sorted(self.turned):
            if first <= step:
                found.update(self.turned[first])
        return found
