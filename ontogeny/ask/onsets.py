"""What an event is: where curves begin to show that a run memorised, generalised, spiked, diverged.

Each is a causal function of its curves: it is told as soon as the steps up to there show it, and however the run goes
on, it stays the same event at the same step. So nothing is measured against what comes later: a rise counts against
the steps before it, and "stays" means a fixed number of steps or evaluations; what comes back after those takes nothing
back. Only `best` means the best so far, and moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Curve = tuple[Floats, Floats]
"""Steps, and a value at each."""
MEMORISED, SMOOTH = 0.99, 8
"""Training accuracy, its mean over so many steps."""
RISE, SUDDEN, HELD = 0.3, 0.2, 2
"""By how much validation accuracy has to rise, within which part of the steps so far, and for how many evaluations more
it has to be that high. A rise along a straight line, or one that slows down, is never so fast."""
USUAL, GAP = 32, 16
"""What a loss usually is, is told from so many steps, so many steps before: a spike may take as long to rise."""
SPIKE, OUT = 1.5, 3.0
"""A spike is so many times the median of what is usual, and so many times as far above it as the highest of that."""
FEW, STAYED = 8, 16
"""A level of the loss is the median of so many; so many steps in a row above the bound are a divergence."""
LOST, GAINED, ABOVE = 0.5, 0.2, 1.5
"""The bound: this share of what was gained is lost again; where less than a fifth of the first level was gained, 1.5
times that level."""

BACK = 2
"""The loss that a step tells is that of the state before it, so the last step of a good loss left a state whose own
is bad. The one before is good, but what was set there may have done it: two steps back nothing of it is there."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened at `step`; `before` is the last step that shows nothing of it, nor may have led to it by what was
    set there; `evidence` says it in figures."""

    name: str
    step: int
    before: int
    evidence: str


def memorised(known: Mapping[str, Curve]) -> Event | None:
    """Training accuracy has reached 99%, its mean over 8 steps; `before`, that was last below a half."""
    steps, values = known.get("accuracy", _NONE)
    if len(values) < SMOOTH:
        return None
    smooth = _windows(values, SMOOTH).mean(axis=1)
    there = np.flatnonzero(smooth >= MEMORISED)
    if not len(there):
        return None
    step = int(steps[there[0] + SMOOTH - 1])
    early = np.flatnonzero(smooth[: there[0]] < 0.5)
    before = int(steps[early[-1] + SMOOTH - 1]) if len(early) else 0
    return Event("memorised", step, before, f"training accuracy reached {smooth[there[0]]:.3g} at step {step}")


def generalised(known: Mapping[str, Curve]) -> Event | None:
    """The first sudden rise of validation accuracy: within a fifth of the steps so far it came to lie by 0.3 above
    all that it had ever been before, and the next two evaluations are as high.

    `before` is where the rise bends upwards: the evaluation farthest below the straight line over that fifth. Without
    an accuracy it goes by validation loss, which has to fall by 0.3 of its first value, or of all that it fell so far.
    What is learned from the start, however fast, is no such rise; of training accuracy it says nothing.
    """
    word, sign, steps, values = _judged(known)
    if len(values) <= HELD:
        return None
    begin = np.searchsorted(steps, (1 - SUDDEN) * steps)
    highest = np.maximum.accumulate(values)
    need = RISE if word == "accuracy" else RISE * np.maximum(abs(values[0]), highest - values[0])
    rise = _windows(values, HELD + 1).min(axis=1) - highest[begin][:-HELD]
    there = np.flatnonzero((rise > 0) & (rise >= np.broadcast_to(need, steps.shape)[:-HELD]))
    if not len(there):
        return None
    place, start = int(there[0]), int(begin[there[0]])
    x, y = steps[start : place + 1], values[start : place + 1]
    bend = start + int(np.argmax((y[-1] - y[0]) * (x - x[0]) - (x[-1] - x[0]) * y))
    step, before = int(steps[place]), int(steps[bend])
    went = f"{sign * values[bend]:.3g} to {sign * values[place]:.3g}"
    return Event("generalised", step, before, f"validation {word} went from {went} between steps {before} and {step}")


def spiked(known: Mapping[str, Curve]) -> Event | None:
    """The first spike of the loss."""
    return next(iter(spikes(known)), None)


def spikes(known: Mapping[str, Curve]) -> list[Event]:
    """All spikes of the loss: it is half as high again as usual, and far out of what it usually varies by.

    `before` is BACK steps before the last at which it was no higher than usual. A spike lasts until the loss is as
    usual again, or what is usual has come to be as high.
    """
    steps, values = known.get("loss", _NONE)
    if len(values) <= USUAL + GAP:
        return []
    losses = np.where(np.isnan(values), np.inf, values)
    earlier, now = _windows(losses, USUAL)[: -GAP - 1], losses[USUAL + GAP :]
    usual, top = np.median(earlier, axis=1), earlier.max(axis=1)
    with np.errstate(invalid="ignore"):
        out = (usual > 0) & (now >= SPIKE * usual) & (now - usual >= OUT * (top - usual))
    found = []
    for place in np.flatnonzero(out & ~np.concatenate([[False], out[:-1]])):
        inside = np.flatnonzero(losses[place : place + USUAL + GAP] <= top[place])
        before, step = back(steps, int(place + inside[-1])), int(steps[place + USUAL + GAP])
        evidence = f"the loss was {now[place]:.3g} at step {step}, usually {usual[place]:.3g}"
        found.append(Event("spiked", step, before, evidence))
    return found


def diverged(known: Mapping[str, Curve]) -> Event | None:
    """The loss is no finite number, or has lost half of what it had gained and stays there for 16 steps.

    A loss that comes back later had diverged all the same. `before` is BACK steps before the last of the good ones.
    """
    steps, values = known.get("loss", _NONE)
    broken = np.flatnonzero(~np.isfinite(values))
    place = lost(values[: broken[0]] if len(broken) else values)
    if place is not None:
        step, low = int(steps[place]), values[place : place + STAYED].min()
        said = f"from step {step} on the loss stayed at {low:.3g} or more for {STAYED} steps"
        return Event("diverged", step, back(steps, place - 1), said)
    if not len(broken):
        return None
    step = int(steps[broken[0]])
    return Event("diverged", step, back(steps, int(broken[0]) - 1), f"the loss is {values[broken[0]]} at step {step}")


def back(steps: Floats, place: int) -> int:
    """BACK steps before the last whose loss was good."""
    return max(0, int(steps[place]) - BACK) if place >= 0 else 0


def lost(losses: Floats, first: float | None = None, best: float = np.inf) -> int | None:
    """Where the first STAYED losses in a row begin that all lie above the bound; None: nowhere.

    `first` and `best` are the first and the lowest level before these losses, where there were any.
    """
    if len(losses) < FEW + STAYED:
        return None
    before = levels(losses[:-STAYED])
    first = float(before[0]) if first is None else first
    lowest = np.minimum(best, np.minimum.accumulate(before))
    gained = first - lowest
    bound = np.where(gained >= GAINED * abs(first), lowest + LOST * gained, first + (ABOVE - 1) * abs(first))
    above = np.flatnonzero(_windows(losses, STAYED).min(axis=1)[FEW:] > bound)
    return FEW + int(above[0]) if len(above) else None


def levels(losses: Floats) -> Floats:
    """The median of each FEW in a row; none of fewer."""
    return np.median(_windows(losses, FEW), axis=1) if len(losses) >= FEW else np.zeros(0)


def best(known: Mapping[str, Curve]) -> Event | None:
    """The lowest validation loss so far, or training loss where there is no validation; `before` is that step."""
    name = "valid.loss" if "valid.loss" in known else "loss"
    steps, values = known.get(name, _NONE)
    if np.isnan(values).all():
        return None
    place = int(np.nanargmin(values))
    step = int(steps[place])
    return Event("best", step, step, f"{name} was lowest, {values[place]:.4g}, at step {step}")


_NONE: Curve = (np.zeros(0), np.zeros(0))


def _windows(values: Floats, width: int) -> Floats:
    return np.lib.stride_tricks.sliding_window_view(values, width)


def _judged(known: Mapping[str, Curve]) -> tuple[str, float, Floats, Floats]:
    """The curve that generalising shows on, where it is finite, and the sign by which more of it is better."""
    word, sign = ("accuracy", 1.0) if "valid.accuracy" in known else ("loss", -1.0)
    steps, values = known.get(f"valid.{word}", _NONE)
    finite = np.isfinite(values)
    return word, sign, steps[finite], sign * values[finite]
