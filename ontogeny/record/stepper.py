"""One step of a run, as a pure function of a machine's registers: what replay, forks and the loop all do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ontogeny.data.base import Array, Data
from ontogeny.isa.errors import RecordError
from ontogeny.isa.periodic import is_due, periodic
from ontogeny.machine.base import Machine
from ontogeny.record.alterations import altered
from ontogeny.record.composition import Composition
from ontogeny.record.ground import Ground
from ontogeny.record.journal import Entry
from ontogeny.record.schedule import ALTER, CALL, Schedule

LEARN = "learn"
PROGRAM = "the program"
"""The author of calls that no journal has: a dial of the program has them made (`isa/periodic.py`)."""


class Stepper:
    """Takes a machine from the state of any step to the next one."""

    def __init__(self, ground: Ground, schedule: Schedule) -> None:
        self.ground = ground
        self._periodic = tuple(periodic(ground.program).items())
        self._composed: tuple[Composition, Data] | None = None
        self.reschedule(schedule)

    def reschedule(self, schedule: Schedule) -> None:
        """Goes by another schedule from now on."""
        self.schedule = schedule
        self._enter(0)

    def take(self, machine: Machine, step: int) -> dict[str, Array]:
        """The step from state `step` to state `step` + 1: its events, then `learn`, whose results it gives."""
        return machine.call(LEARN, *self.prepare(machine, step))

    def prepare(
        self, machine: Machine, step: int, on_event: Callable[[Entry], object] | None = None
    ) -> tuple[dict[str, Array], dict[str, float]]:
        """All of a step but `learn`: its events happen, then what is due; `on_event` is told each once it has.

        Gives the batch and the dials that `learn` goes by.
        """
        batch, dials = self.begin(machine, step, on_event)
        for routine, dial in self._periodic:
            if is_due(dials[dial], step):
                self._call(machine, routine, batch, dials)
                if on_event is not None:
                    on_event(Entry(CALL, step, {"routine": routine}, PROGRAM))
        return batch, dials

    def begin(
        self, machine: Machine, step: int, on_event: Callable[[Entry], object] | None = None
    ) -> tuple[dict[str, Array], dict[str, float]]:
        """What the journal says at a step, as `prepare` does, without what the program itself calls there."""
        if not self._first <= step < self._end:
            self._enter(step)
        batch = self._batch(step)
        if step in self.schedule.events:
            for event in self.schedule.events[step]:
                self._happen(machine, event, batch)
                if on_event is not None:
                    on_event(event)
        return batch, self._dials_at(step)

    def examples(self, step: int) -> Data:
        """The data as the schedule has it at a step."""
        composition = self.schedule.composition(step)
        if self._composed is None or self._composed[0] is not composition:
            self._composed = composition, self.ground.examples(composition)
        return self._composed[1]

    def _enter(self, step: int) -> None:
        """What holds for the stretch of steps that `step` lies in."""
        self._first, self._end = self.schedule.span(step)
        self._settled = self.schedule.settled(step)
        self._dials = self.schedule.dials(max(self._settled, step))
        self._batches = self.examples(step)

    def _dials_at(self, step: int) -> dict[str, float]:
        return self._dials if step >= self._settled else self.schedule.dials(step)

    def _batch(self, step: int) -> dict[str, Array]:
        return self._batches.batch(step)

    def _call(self, machine: Machine, routine: str, batch: Mapping[str, Array], dials: Mapping[str, float]) -> None:
        """Calls a routine that a journal's entry or the program itself has called beside `learn`."""
        machine.call(routine, batch, dials)

    def _happen(self, machine: Machine, event: Entry, batch: Mapping[str, Array]) -> None:
        if event.kind == CALL:
            self._call(machine, event["routine"], batch, self._dials_at(event.at))
        else:
            state = machine.state()
            happened(state, event, self.ground)
            machine.load(state)


def happened(state: dict[str, Array], event: Entry, ground: Ground) -> None:
    """Makes the registers of a state what an edit or an alteration makes of them."""
    if event.kind == ALTER:
        state.update(altered(state, event, ground))
    else:
        edit(state, event)


def edit(state: dict[str, Array], event: Entry) -> None:
    """Sets the elements that an edit names, by their flat places, in a state."""
    array = state[event["register"]].copy(order="C")
    try:
        array.reshape(-1)[np.array(event["places"], np.int64)] = np.array(event["values"]).astype(array.dtype)
    except (IndexError, ValueError) as error:
        raise RecordError(f"register {event['register']!r} cannot be edited so: {error}") from error
    state[event["register"]] = array


def view(machine: Machine) -> Mapping[str, Array]:
    """The registers to look at before the next call: shared with the machine where it offers that, else copies."""
    shared = getattr(machine, "view", machine.state)
    registers: Mapping[str, Array] = shared()
    return registers
