"""A run beside what it would have been by other journal entries: both replayed, each on a machine of its own.

Nothing is written. The actual side is compared with the hash of every step, so the two differ by the entries alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ontogeny.data.base import Array
from ontogeny.data.without import Without
from ontogeny.isa.program import Program
from ontogeny.machine.base import Machine
from ontogeny.machine.reads import reads
from ontogeny.record import replay
from ontogeny.record.ground import Ground
from ontogeny.record.history import History
from ontogeny.record.journal import Entry
from ontogeny.record.lineage import Lineage
from ontogeny.record.schedule import Schedule
from ontogeny.record.seat import Seat
from ontogeny.record.stepper import Stepper


class Replayable(Protocol):
    """What is needed of a run in order to replay it twice."""

    program: Program
    history: History
    _lineage: Lineage
    _schedule: Schedule
    _seat: Seat

    @property
    def ground(self) -> Ground:
        """Its data, its program, and the folders of the runs that it goes back to."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Both at the state of `step`, on machines to be looked at before the next pair is asked for.

    `results` are what `learn` gave the other in the step that led here, empty at the first and where it took none.
    """

    step: int
    actual: Machine
    other: Machine
    results: Mapping[str, Array]


class Lenient(Stepper):
    """A stepper that passes over a step whose batch is left empty: what needs no batch happens, nothing is learned."""

    def take(self, machine: Machine, step: int) -> dict[str, Array]:
        """The step, or only what happens before it."""
        if self._left(step):
            return super().take(machine, step)
        self.prepare(machine, step)
        return {}

    def _left(self, step: int) -> bool:
        data = self.examples(step)
        return not isinstance(data, Without) or bool(data.kept(step).any())

    def _batch(self, step: int) -> dict[str, Array]:
        return super()._batch(step) if self._left(step) else {}

    def _call(self, machine: Machine, routine: str, batch: Mapping[str, Array], dials: Mapping[str, float]) -> None:
        program = self.ground.program
        if batch or not {decl.name for decl in program.of("input")} & {*reads(program, program.routine(routine))}:
            super()._call(machine, routine, batch, dials)


def beside(run: Replayable, journal: Iterable[Entry], first: int, last: int) -> Iterator[Pair]:
    """The states `first` to `last` of a run, and of the same by a journal that differs from its own from there on.

    Raises RecordError where the run itself does not replay to its hashes.
    """
    actual, other = run._seat.another(), run._seat.another()
    stepper = Stepper(run.ground, run._schedule)
    changed = Lenient(run.ground, schedule(run, journal))
    replay.to_step(actual, run.history, stepper, first)
    other.load(actual.state())
    for step in replay.walk(actual, run.history, stepper, first, last):
        yield Pair(step, actual, other, changed.take(other, step - 1) if step > first else {})


def schedule(run: Replayable, journal: Iterable[Entry]) -> Schedule:
    """What a journal means for the run's steps; entries at one step come in their order."""
    return run._lineage.schedule(tuple(journal))
