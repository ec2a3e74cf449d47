"""What happened in a run, by its curves: when it memorised, generalised, spiked, diverged, was best.

An event is read off the recorded metrics alone, so it costs nothing, and its definition is one function below.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError

Curve = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""Steps, and a value at each."""
MEMORISED = 0.99
RISE = 0.3
"""The least rise of validation accuracy that counts as having generalised."""
STEEP = 20
"""A rise is looked for over a part of all evaluations, one in so many."""
SPIKE = 1.5
"""A loss of so many times the median of the steps before is a spike."""
RECENT = 16
"""Steps that the median is taken over."""


class Measured(Protocol):
    """What has curves: a run of our own, or a recorded loop."""

    def metrics(self) -> Mapping[str, npt.NDArray[np.float64]]:
        """Metrics by name, and `step`."""

    def evaluations(self) -> Sequence[Mapping[str, float]]:
        """Evaluations in order, each with its `step`."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened at `step`; `before` is the last step that shows nothing of it; `evidence` says it in figures."""

    name: str
    step: int
    before: int
    evidence: str


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


def find(run: Measured, name: str) -> Event:
    """The event called `name`. Raises RecordError where it did not happen, or there is none of that name."""
    if name not in EVENTS:
        near = difflib.get_close_matches(name, list(EVENTS), 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise RecordError(f"no event is called {name!r}; {meant}there are {', '.join(EVENTS)}")
    found = EVENTS[name](curves(run))
    if found is None:
        raise RecordError(f"as far as it is recorded, this run has no step at which it {PAST[name]}")
    return found


def all_events(run: Measured) -> tuple[Event, ...]:
    """Every event that happened, in order of step."""
    known = curves(run)
    found = [event for make in EVENTS.values() if (event := make(known))]
    return tuple(sorted(found, key=lambda event: event.step))


def generalised(known: Mapping[str, Curve]) -> Event | None:
    """Validation accuracy has come halfway from its level before its steepest rise to its height after it.

    The level is the median of the evaluations before that rise, three times as many as it spans. `before` is the last
    evaluation at which less than a tenth of the way was made. Without an accuracy it goes by validation loss.
    """
    found = _judged(known)
    if found is None:
        return None
    word, sign, steps, values = found
    width = max(2, len(values) // STEEP)
    if len(values) <= width or not np.isfinite(values).all():
        return None
    start = int(np.argmax(values[width:] - values[:-width]))
    level = float(np.median(values[max(0, start - 3 * width) : start + 1]))
    rise = float(values[start:].max()) - level
    if rise <= (RISE if word == "accuracy" else RISE * abs(level)):
        return None
    half = start + int(np.flatnonzero(values[start:] >= level + rise / 2)[0])
    early = np.flatnonzero(values[:half] < level + rise / 10)
    step, before = int(steps[half]), int(steps[early[-1]]) if len(early) else int(steps[start])
    went = f"{sign * level:.3g} to {sign * float(values[half]):.3g}"
    return Event("generalised", step, before, f"validation {word} went from {went} between steps {before} and {step}")


def _judged(known: Mapping[str, Curve]) -> tuple[str, float, npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """The curve that generalising shows on, so that more is better, and the sign that makes it so."""
    if "valid.accuracy" in known:
        return "accuracy", 1.0, *known["valid.accuracy"]
    if "valid.loss" in known:
        steps, values = known["valid.loss"]
        return "loss", -1.0, steps, -values
    return None


def memorised(known: Mapping[str, Curve]) -> Event | None:
    """Training accuracy has reached 99%, its mean over 8 steps."""
    if "accuracy" not in known:
        return None
    steps, values = known["accuracy"]
    width = min(8, len(values))
    smooth = np.convolve(values, np.full(width, 1 / width), "valid")
    there = np.flatnonzero(smooth >= MEMORISED)
    if not len(there):
        return None
    step = int(steps[there[0] + width - 1])
    early = np.flatnonzero(smooth[: there[0]] < 0.5)
    before = int(steps[early[-1] + width - 1]) if len(early) else 0
    return Event("memorised", step, before, f"training accuracy reached {smooth[there[0]]:.3g} at step {step}")


def spiked(known: Mapping[str, Curve]) -> Event | None:
    """The largest loss against the median of the 16 steps before it, where it is at least 1.5 times that."""
    if "loss" not in known:
        return None
    steps, values = known["loss"]
    if len(values) <= RECENT:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(values, RECENT)[:-1]
    usual = np.median(windows, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(usual > 0, values[RECENT:] / usual, 0.0)
    ratio[~np.isfinite(ratio)] = np.inf
    worst = int(np.argmax(ratio))
    if ratio[worst] < SPIKE:
        return None
    onset = worst
    while onset and ratio[onset - 1] >= SPIKE:
        onset -= 1
    step = int(steps[onset + RECENT])
    height, when = values[worst + RECENT], int(steps[worst + RECENT])
    evidence = f"the loss was {height:.3g} at step {when}, usually {usual[worst]:.3g}"
    return Event("spiked", step, step - 1, evidence)


def diverged(known: Mapping[str, Curve]) -> Event | None:
    """The loss is no finite number, or has come to ten times its lowest median and stays above to the end."""
    if "loss" not in known:
        return None
    steps, values = known["loss"]
    lost = np.flatnonzero(~np.isfinite(values))
    if len(lost):
        step = int(steps[lost[0]])
        return Event("diverged", step, step - 1, f"the loss is {values[lost[0]]} at step {step}")
    lowest = np.minimum.accumulate(values)
    above = values > 10 * np.maximum(lowest, 1e-12)
    if not len(above) or not above[-1]:
        return None
    inside = np.flatnonzero(~above)
    first = int(inside[-1]) + 1 if len(inside) else 0
    step = int(steps[first])
    return Event("diverged", step, step - 1, f"from step {step} on the loss stays above ten times its lowest")


def best(known: Mapping[str, Curve]) -> Event | None:
    """The lowest validation loss, or training loss where there is no validation; `before` is that step itself."""
    name = "valid.loss" if "valid.loss" in known else "loss"
    if name not in known:
        return None
    steps, values = known[name]
    place = int(np.nanargmin(values))
    step = int(steps[place])
    return Event("best", step, step, f"{name} was lowest, {values[place]:.4g}, at step {step}")


EVENTS: dict[str, Callable[[Mapping[str, Curve]], Event | None]] = {
    "memorised": memorised,
    "generalised": generalised,
    "spiked": spiked,
    "diverged": diverged,
    "best": best,
}
PAST = {
    "memorised": "had memorised what it was trained on",
    "generalised": "suddenly generalised",
    "spiked": "spiked in loss",
    "diverged": "diverged",
    "best": "was best",
}
