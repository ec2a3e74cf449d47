"""gradients_not_zeroed: updates keep their direction for many steps while the loss goes up.

Gradients that are not cleared add up, so that each update is nearly the one before, like a momentum without friction:
the parameters go straight on though the loss rises. With gradients of their own, updates that agree over many steps
bring the loss down.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ontogeny.ask.evidence import Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy, series
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.progress import LOSSES, first_told
from ontogeny.ask.stretch import log_odds
from ontogeny.ask.sureness import sureness

NAME = "gradients_not_zeroed"
LAG = 8
"""Steps over which an update is compared with a later one."""
STRAIGHT = 0.75
"""Their cosine where it is as likely as not."""
PARTS = 8
UP = 1.2
"""So many times its least before, a loss counts as risen."""
GROWN = 1.8
"""So many times those of the steps before, updates have grown."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """The straightest part of the way on which the loss has risen."""
    steps, updates = evidence.moved.updates()
    if len(steps) < 4 * LAG:
        raise Silent(f"fewer than {4 * LAG} updates are recorded, too few to tell")
    cosines = _cosines(updates)
    told = {step: loss for step, metrics in evidence.told() if (loss := first_told(metrics, LOSSES)) is not None}
    losses = np.nan_to_num([told.get(int(step), np.nan) for step in steps], nan=1e30, posinf=1e30)
    parts = np.array_split(np.arange(len(cosines)), min(PARTS, len(cosines) // LAG))
    levels = np.array([np.median(losses[part]) for part in parts])
    risen = levels > UP * np.minimum.accumulate(levels)
    risen |= levels > UP * np.median(losses[: max(3, LAG // 2)])
    straight = np.array([np.median(cosines[part]) for part in parts])
    if not risen.any():
        return
    score = log_odds(float(straight[risen].max())) - log_odds(STRAIGHT)
    if score == NONE:
        return
    sizes = np.linalg.norm(updates, axis=1)
    since = int(steps[_grown(sizes)]) - 1
    middles = [int(steps[part[len(part) // 2]]) for part in parts]
    yield Finding(
        name=NAME,
        since=max(0, since),
        sureness=sureness(NAME, score),
        words=(
            f"updates {LAG} steps apart point the same way (cosine {straight[risen].max():.2f}) while the loss has "
            f"risen to {levels[risen].max():.4g}"
        ),
        found=middles[int(np.flatnonzero(risen)[0])],
        score=score,
        evidence=(
            series("cosine of updates", middles, straight),
            series("loss", steps, losses),
            series("length of the update", steps, sizes),
        ),
        figures={"cosine": float(straight[risen].max()), "loss": float(levels[risen].max())},
        remedies=(Remedy("call optimizer.zero_grad() before each backward(); begin anew from before"),),
    )


def _cosines(updates: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.float64]:
    lengths = np.maximum(np.linalg.norm(updates, axis=1, keepdims=True), 1e-30)
    unit = updates / lengths
    found: np.typing.NDArray[np.float64] = np.nan_to_num((unit[:-LAG] * unit[LAG:]).sum(axis=1))
    return found


def _grown(sizes: np.typing.NDArray[np.float64]) -> int:
    """Where updates grow from a few steps to the next few, and stay so; 0 where they never do, or from the first."""
    windows = np.median(np.lib.stride_tricks.sliding_window_view(np.nan_to_num(sizes, nan=1e30), LAG), axis=1)
    least = np.minimum.accumulate(windows[::-1])[::-1]  # from here on
    grown = np.flatnonzero(least[LAG:] > GROWN * windows[:-LAG])
    return int(grown[0]) + LAG if len(grown) and grown[0] > LAG + 2 else 0


KIND = Kind(NAME, "a loop that does not clear its gradients", look=look)
