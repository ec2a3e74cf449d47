"""Where a run was catapulted, by its curves: the loss rose over several steps, and came down below where it rose from.

At a learning rate above what the curvature bears the loss grows from step to step by about the same factor, until
the weights have shrunk and the curvature with them; then it falls (Lewkowycz et al. 2020, arXiv 2003.02218). A spike
jumps in one step, and a divergence does not come back below. Losses alone cannot tell a catapult of two steps from a
spike, so they pass it over; a loss function that returns `norm` or `sharpness` beside the loss has it decided by these,
which have to be lower after it. What the curvature did, `ask/phase.py` measures on any run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ontogeny.ask.onsets import Curve, Event, Floats, back

RISE = 1.5
"""So many times the lowest loss before."""
SHARE = 0.6
"""Of the rise, in logarithms, what the largest of its steps may make up."""
OUT, USUAL = 5.0, 32
"""So many times the largest rise from one step to the next, in logarithms, of so many steps before and those after."""
LOWER = 8
"""So many losses in a row below where it rose from."""
SHRUNK = ("norm", "sharpness")
"""Metrics that a catapult lowers."""


def catapulted(known: Mapping[str, Curve]) -> Event | None:
    """The first catapult; `step` is the first below where the loss rose from, `before` lies before the rise."""
    steps, values = known.get("loss", (np.zeros(0), np.zeros(0)))
    broken = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    losses = values[: broken[0]] if len(broken) else values
    told = {name: known[name] for name in SHRUNK if name in known}
    for low, under in rises(losses):
        high = low + int(np.argmax(losses[low:under]))
        before, step = back(steps, low), int(steps[under])
        shrunk = [_said(name, curve, before, step) for name, curve in told.items()]
        if all(shrunk) and (shrunk or _gradual(np.log(losses), low, high, under)):
            went = f"from {losses[low]:.3g} at step {int(steps[low])} to {losses[high]:.3g} at step {int(steps[high])}"
            said = "".join(f", {one}" for one in shrunk)
            return Event("catapulted", step, before, f"the loss rose {went} and lay lower from step {step} on{said}")
    return None


def rises(losses: Floats) -> Iterator[tuple[int, int]]:
    """Each rise to RISE times the lowest before that was made good: where that lowest is, and where LOWER losses in a
    row begin that lie below it."""
    if len(losses) <= LOWER:
        return
    lowest = np.minimum.accumulate(losses)
    highest = np.lib.stride_tricks.sliding_window_view(losses, LOWER).max(axis=1)
    risen = 1 + np.flatnonzero(losses[1:] >= RISE * lowest[:-1])
    at = 0
    while at < len(risen):
        level = lowest[risen[at] - 1]
        under = np.flatnonzero(highest[risen[at] :] < level)
        if not len(under):
            return
        end = int(risen[at] + under[0])
        yield int(np.flatnonzero(losses[: risen[at]] == level)[-1]), end
        at = int(np.searchsorted(risen, end))


class Rising:
    """The same, told loss by loss."""

    def __init__(self) -> None:
        self.lowest, self.level = np.inf, -np.inf
        self.under: list[float] = []

    def ended(self, loss: float) -> bool:
        """Whether a rise is made good with this loss."""
        if self.level < 0:
            self.level = self.lowest if loss >= RISE * self.lowest else -np.inf
            self.lowest = min(self.lowest, loss)
            return False
        if loss >= self.level:
            self.lowest, self.under = min([self.lowest, *self.under]), []
            return False
        self.under.append(loss)
        if len(self.under) < LOWER:
            return False
        again, self.under, self.level = self.under, [], -np.inf
        for one in again:
            self.ended(one)
        return True


def _gradual(logs: Floats, low: int, high: int, under: int) -> bool:
    """Whether a rise took several steps, and is no noise of the steps around it."""
    steps = np.diff(logs[low : high + 1])
    around = [np.diff(logs[max(0, low - USUAL) : low + 1]), np.diff(logs[under : under + LOWER])]
    usual = max(float(one.max(initial=0.0)) for one in around)
    total = float(logs[high] - logs[low])
    return bool(steps.max() <= SHARE * total and total >= OUT * usual)


def _said(name: str, curve: Curve, before: int, step: int) -> str:
    """How a metric went from the last at or before one step to that of another; empty where it did not fall."""
    steps, values = curve
    place = max(0, int(np.searchsorted(steps, before, "right")) - 1)
    then = values[np.searchsorted(steps, step, "right") - 1]
    return f"its {name} went from {values[place]:.3g} to {then:.3g}" if then < values[place] else ""
