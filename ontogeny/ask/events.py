"""What happened in a run, by its curves: when it memorised, generalised, spiked, diverged, catapulted, was best.

An event is read off the recorded metrics alone, so it costs nothing; what each is, `ask/onsets.py` says.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ontogeny.ask.catapulted import catapulted
from ontogeny.ask.onsets import Curve, Event, best, diverged, generalised, memorised, spiked
from ontogeny.isa.errors import RecordError
from ontogeny.record.recorded import Recorded


class Measured(Protocol):
    """What has curves: a run of our own, or a recorded loop."""

    def metrics(self) -> Mapping[str, npt.NDArray[np.float64]]:
        """Metrics by name, and `step`."""

    def evaluations(self) -> Sequence[Mapping[str, float]]:
        """Evaluations in order, each with its `step`."""


def curves(run: Measured) -> dict[str, Curve]:
    """All curves of a run, those of evaluations as `valid.*`; without values that are missing."""
    columns = run.metrics()
    found = {name: (columns["step"], values) for name, values in columns.items() if name != "step"}
    rows = run.evaluations()
    for name in dict.fromkeys(key for row in rows for key in row if key != "step"):
        told = [row for row in rows if name in row]
        found[f"valid.{name}"] = (
            np.array([row["step"] for row in told], np.float64),
            np.array([row[name] for row in told]),
        )
    present = {name: (steps[~np.isnan(values)], values[~np.isnan(values)]) for name, (steps, values) in found.items()}
    return {name: curve for name, curve in present.items() if len(curve[0])}


def _lived(run: Measured) -> dict[str, Curve]:
    """The curves that events show on: `curves`, with a loss that is NaN where the program that goes by now told it.

    Before that program, NaN is what a metric has that nobody told.
    """
    known = curves(run)
    if isinstance(run, Recorded) and "loss" in run.history.names:
        columns = run.metrics()
        told = (columns["step"] > run.history.first) | ~np.isnan(columns["loss"])
        known["loss"] = (columns["step"][told], columns["loss"][told])
    return known


def find(run: Measured, name: str) -> Event:
    """The event called `name`. Raises RecordError where it did not happen, or there is none of that name."""
    if name not in EVENTS:
        near = difflib.get_close_matches(name, list(EVENTS), 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise RecordError(f"no event is called {name!r}; {meant}there are {', '.join(EVENTS)}")
    found = EVENTS[name](_lived(run))
    if found is None:
        raise RecordError(f"as far as it is recorded, this run has no step at which it {PAST[name]}")
    return found


def all_events(run: Measured) -> tuple[Event, ...]:
    """Every event that happened, in order of step."""
    known = _lived(run)
    found = [event for make in EVENTS.values() if (event := make(known))]
    return tuple(sorted(found, key=lambda event: event.step))


EVENTS: dict[str, Callable[[Mapping[str, Curve]], Event | None]] = {
    "memorised": memorised,
    "generalised": generalised,
    "spiked": spiked,
    "diverged": diverged,
    "catapulted": catapulted,
    "best": best,
}
PAST = {
    "memorised": "had memorised what it was trained on",
    "generalised": "suddenly generalised",
    "spiked": "spiked in loss",
    "diverged": "diverged",
    "catapulted": "was catapulted",
    "best": "was best",
}
