"""Replaying a run's steps while looking on: what a step started from, and values from inside its `learn`.

The values are further results of the same call on the same kind of machine, so the steps keep their bits, which their
hashes prove. In fast mode, where a further result would change what is fused, they come from a call of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from ontogeny.data.base import Array
from ontogeny.data.without import Numbered
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program, Routine
from ontogeny.isa.prune import pruned
from ontogeny.machine.base import Machine
from ontogeny.record import replay
from ontogeny.record.ground import Ground
from ontogeny.record.history import History
from ontogeny.record.journal import Entry
from ontogeny.record.machines import make
from ontogeny.record.schedule import Schedule
from ontogeny.record.stepper import LEARN, Stepper, view

PREFIX = "inside."
INSIDE = "inside"


class Watchable(Protocol):
    """What is needed of a run in order to look on while its steps are replayed."""

    program: Program
    history: History
    _schedule: Schedule

    @property
    def start(self) -> Entry:
        """The first entry of its journal."""

    @property
    def ground(self) -> Ground:
        """Its data, its program, and the folders of the runs that it goes back to."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One step, from state `step` - 1 to state `step`.

    `events` are the journal's entries that came before `learn`, each with the registers after it. `before` are the
    registers at the step's beginning, `entry` those that `learn` began with, `after` those that it led to; they share
    memory with nothing that changes. `given` are the inputs and dials, `values` the ones asked for, by name. `examples`
    are the numbers of the examples in the rows of the batch, None where the data does not tell.
    """

    step: int
    before: Mapping[str, Array]
    events: tuple[tuple[Entry, Mapping[str, Array]], ...]
    entry: Mapping[str, Array]
    after: Mapping[str, Array]
    given: Mapping[str, Array | float]
    values: Mapping[str, Array]
    examples: tuple[int, ...] | None = None


def watched(run: Watchable, values: Iterable[str], registers: Iterable[str], first: int, last: int) -> Iterator[Seen]:
    """The steps to the states `first` to `last`, with the values of `learn` and the registers that are named.

    Raises RecordError where a step does not replay, as `replay.walk` does.
    """
    wanted = tuple(dict.fromkeys(values))
    together = run.start["options"].get("mode") != "fast"
    program = run.program
    inside = _inside(program.routine(LEARN), wanted, together)
    machine = _made(run, program.with_routine(inside) if together else program)
    beside = None if together else _made(run, program.with_routine(inside))
    stepper = Looking(run.ground, run._schedule, tuple(dict.fromkeys(registers)), beside)
    replay.to_step(machine, run.history, stepper, first - 1)
    for step in replay.walk(machine, run.history, stepper, first - 1, last):
        if step >= first:
            yield stepper.seen(machine)


class Alone:
    """Values of a run's `learn`, or another routine, on other inputs than its own; nothing is committed.

    They come from a machine of the run's kind, in exact mode where that has modes.
    """

    def __init__(
        self, run: Watchable, values: Iterable[str], routine: str = LEARN, program: Program | None = None
    ) -> None:
        """`program` is the run's in another form, such as a wider number format."""
        program = program or run.program
        inside = _inside(program.routine(routine), tuple(dict.fromkeys(values)), together=False)
        options = run.start["options"]
        exact = {**options, "mode": "exact"} if "mode" in options else options
        self.routine = inside
        self._machine = make(run.start["machine"], program.with_routine(inside), exact)

    def load(self, registers: Mapping[str, Array]) -> None:
        """The registers that the values are computed from, all that the program keeps."""
        self._machine.load(registers)

    def values(self, inputs: Mapping[str, Array], dials: Mapping[str, float]) -> dict[str, Array]:
        """The values by name."""
        results = self._machine.call(INSIDE, inputs, dials)
        return {name.removeprefix(PREFIX): value for name, value in results.items()}


def _made(run: Watchable, program: Program) -> Machine:
    return make(run.start["machine"], program, run.start["options"])


def _inside(learn: Routine, wanted: Iterable[str], together: bool) -> Routine:
    """`learn` with further results, or a routine of its own that gives them and commits nothing."""
    further = tuple((f"{PREFIX}{name}", name) for name in wanted)
    if together:
        return replace(learn, returns=(*learn.returns, *further))
    quiet = tuple(instr for instr in learn.body if instr.op is not Op.COMMIT)
    return pruned(replace(learn, name=INSIDE, body=quiet, returns=further))


class Looking(Stepper):
    """A stepper that keeps what its last step saw."""

    def __init__(self, ground: Ground, schedule: Schedule, registers: tuple[str, ...], beside: Machine | None) -> None:
        super().__init__(ground, schedule)
        self.registers = registers
        self.beside = beside
        self._seen: Callable[[Mapping[str, Array]], Seen] | None = None

    def take(self, machine: Machine, step: int) -> dict[str, Array]:
        """The step, looked at."""
        before, events = self._kept(machine), list[tuple[Entry, Mapping[str, Array]]]()
        inputs, dials = self.prepare(machine, step, lambda entry: events.append((entry, self._kept(machine))))
        entry = events[-1][1] if events else before
        if self.beside is not None:
            self.beside.load(machine.state())
            values = self.beside.call(INSIDE, inputs, dials)
        results = machine.call(LEARN, inputs, dials)
        if self.beside is None:
            values = results
        found = {name.removeprefix(PREFIX): value for name, value in values.items() if name.startswith(PREFIX)}
        rows = self._rows(step)
        given: dict[str, Array | float] = {**inputs, **dials}
        self._seen = lambda after: Seen(step + 1, before, tuple(events), entry, after, given, found, rows)
        return results

    def _rows(self, step: int) -> tuple[int, ...] | None:
        """The examples of a step, by number."""
        data = self.examples(step)
        return tuple(int(number) for number in data.indices(step)) if isinstance(data, Numbered) else None

    def seen(self, machine: Machine) -> Seen:
        """What the last step saw."""
        assert self._seen is not None
        return self._seen(self._kept(machine))

    def _kept(self, machine: Machine) -> dict[str, Array]:
        held = view(machine)
        return {name: held[name].copy() for name in self.registers}
