"""learning_rate_too_high: with a tenth of it from a state on, the next steps would have ended far lower; tried.

The record is replayed from some states, and from before the loss jumps, with every learning rate a tenth of what it was
and all else the same. A lower rate nearly always gains a little at short sight (Wu et al. 2018), so it has to be a lot.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ontogeny.ask.evidence import Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy, series
from ontogeny.ask.inside import Inside
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.stretch import stretch
from ontogeny.ask.sureness import sureness

NAME = "learning_rate_too_high"
Losses = npt.NDArray[np.float64]
DIAL = "lr"
LOWER = 0.1
STEPS = 16
EVERY = 4
GAIN = 0.4
"""Of the loss, what a tenth of the rate has to spare."""
MATTERS = 0.1
"""Of the loss that the run began with, what it has to spare at least."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """Tries a tenth of the learning rate."""
    inside = tried(evidence)
    first = inside.moment(inside.steps[0]).loss
    score = lambda step: _score(inside, step, first)  # noqa: E731
    found = stretch(within(inside), EVERY, score, "spared by a tenth of the rate, of the bound", evidence.jumps)
    if found.score == NONE:
        return
    record, lower = (inside.trial(found.peak, DIAL, factor, STEPS) for factor in (1.0, LOWER))
    steps = range(found.peak + 1, found.peak + 1 + STEPS)
    now, then = ended(record), ended(lower)
    since = found.since + parted(*(inside.trial(found.since, DIAL, factor, STEPS) for factor in (1.0, LOWER)))
    yield Finding(
        name=NAME,
        since=since,
        sureness=sureness(NAME, found.score),
        words=f"{STEPS} steps from step {found.peak} end at a loss of {now:.4g}; with a tenth of the rate, {then:.4g}",
        found=found.since,
        until=found.until,
        score=found.score,
        evidence=(series("loss", steps, record), series("a tenth of the rate", steps, lower)),
        figures={"loss": now, "with_a_tenth": then, "rate": inside.run.dials(found.peak)[DIAL]},
        remedies=(
            Remedy("a tenth of the learning rate", "set", {"dial": DIAL, "by": LOWER}),
            Remedy("go back to before", "back", {"to": str(since)}),
            Remedy("a warm-up at the beginning, or clipping of the gradient's norm"),
        ),
    )


def tried(evidence: Evidence) -> Inside:
    """The inside of a run that has a learning rate to try. Raises Silent for one that has not."""
    inside = evidence.inside
    if DIAL not in inside.run.dials(inside.steps[0]):
        raise Silent(f"its program has no dial {DIAL!r} to try another value of")
    return inside


def within(inside: Inside) -> tuple[int, ...]:
    """The states from which a whole trial lies within the record; all of them where it is too short for that."""
    return tuple(step for step in inside.steps if step + STEPS <= inside.run.step) or inside.steps


def ended(losses: Losses) -> float:
    """What a trial ends at: the mean of its later half."""
    return float(np.mean(losses[len(losses) // 2 :]))


def parted(record: Losses, lower: Losses) -> int:
    """After how many steps of a trial the two part: before the first at which half of the most is spared."""
    spared = np.nan_to_num(record - lower, nan=np.inf, posinf=np.inf)
    most = spared.max()
    first = int(np.flatnonzero(spared > (most / 2 if np.isfinite(most) else np.finfo(np.float64).max))[0])
    return max(0, first - 2)


def _score(inside: Inside, step: int, first: float) -> float:
    now, lower = (ended(inside.trial(step, DIAL, factor, STEPS)) for factor in (1.0, LOWER))
    if not math.isfinite(lower):
        return NONE
    if not math.isfinite(now):
        return math.log(1 / GAIN)
    spared = now - lower
    if spared <= 0 or now <= 0:
        return NONE
    return min(math.log(spared / now / GAIN), math.log(spared / abs(first) / MATTERS) if first else math.inf)


KIND = Kind(NAME, "a tenth of the learning rate would have spared much of the loss", look=look)
