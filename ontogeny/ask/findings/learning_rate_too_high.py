"""learning_rate_too_high: with a tenth of it from a state on, the next steps would have ended far lower; tried.

The record is replayed with every learning rate a tenth of what it was and all else the same: for a few steps from some
states, and from before the loss jumps; and for many from where the rate was last raised, which tells of harm that comes
late or now and then, and whose doing it is. A lower rate nearly always gains a little at short sight (Wu et al. 2018),
so it has to be a lot.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.ask.evidence import Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy, series
from ontogeny.ask.inside import Inside
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.stretch import Stretch, stretch
from ontogeny.ask.sureness import sureness

NAME = "learning_rate_too_high"
Losses = npt.NDArray[np.float64]
DIAL = "lr"
LOWER = 0.1
STEPS = 16
EVERY = 4
LONG = (64, 128, 256)
"""Steps after which it is looked at from where the rate was raised; the last so many are tried."""
RAISED = 2.0
"""So many times what it was before, a rate has been raised."""
GAIN = 0.4
"""Of the loss, what a tenth of the rate has to spare."""
MATTERS = 0.1
"""Of the loss that the run began with, what it has to spare at least."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Steps from a state on as recorded, and at a tenth of the rate; `since` is where it became too high by them."""

    first: int
    record: Losses
    lower: Losses
    score: float
    since: int
    until: int | None = None


def look(evidence: Evidence) -> Iterator[Finding]:
    """Tries a tenth of the learning rate."""
    inside = tried(evidence)
    least = MATTERS * abs(begun(inside))
    score = lambda step: _scored(inside, step, least)  # noqa: E731
    found = stretch(within(inside), EVERY, score, "spared by a tenth of the rate, of the bound", evidence.jumps)
    raised_at = raised(inside, found.peak if found.score > 0 else inside.steps[-1])
    short, long = _short(inside, found), _long(inside, raised_at, least)
    best = max((one for one in (short, long) if one), key=lambda one: one.score, default=None)
    if best is None:
        return
    since = long.since if long and long.score > 0 else best.since
    steps = range(best.first + 1, best.first + 1 + len(best.record))
    now, then = ended(best.record), ended(best.lower)
    yield Finding(
        name=NAME,
        since=since,
        sureness=sureness(NAME, best.score),
        words=f"{len(steps)} steps from {best.first} end at a loss of {now:.4g}; with a tenth of the rate, {then:.4g}",
        found=since,
        until=best.until,
        score=best.score,
        evidence=(series("loss", steps, best.record), series("a tenth of the rate", steps, best.lower)),
        figures={"loss": now, "with_a_tenth": then, "rate": inside.run.dials(best.first)[DIAL]},
        remedies=(
            Remedy("a tenth of the learning rate", "set", {"dial": DIAL, "by": LOWER}),
            Remedy("go back to before", "back", {"to": str(since)}),
            Remedy("a warm-up at the beginning, or clipping of the gradient's norm"),
        ),
    )


def _short(inside: Inside, found: Stretch) -> Trial | None:
    """The few steps that tell most, of those tried from some states; None where nothing could be spared."""
    if found.score == NONE:
        return None
    since = found.since + parted(*losses(inside, found.since))
    return Trial(found.peak, *losses(inside, found.peak), found.score, since, found.until)


def _long(inside: Inside, since: int, least: float) -> Trial | None:
    """The steps from where the rate was raised, so many as tell most; None where nothing could be spared."""
    whole = inside.trial(since, DIAL, 1.0, min(LONG[-1], inside.run.step - since))
    counts = {min(count, len(whole)) for count in LONG}
    telling = [count for count in sorted(counts) if count > STEPS and not ended(whole[:count]) <= least]
    if not telling:
        return None
    lower = inside.trial(since, DIAL, LOWER, telling[-1])
    pairs = [(whole[:count], lower[:count]) for count in telling]
    trials = [Trial(since, *pair, spared(*pair, least), since) for pair in pairs]
    best = max(trials, key=lambda one: one.score)
    return best if best.score > NONE else None


def losses(inside: Inside, step: int) -> tuple[Losses, Losses]:
    """The losses of a few steps from a state on, as recorded and with a tenth of the rate."""
    return inside.trial(step, DIAL, 1.0, STEPS), inside.trial(step, DIAL, LOWER, STEPS)


def raised(inside: Inside, step: int) -> int:
    """Where the highest rate of a few steps from a state on was raised last, else the first state that is looked at."""

    def rate(at: int) -> float:
        return inside.run.dials(at)[DIAL]

    high = max(range(step, max(step + 1, min(step + STEPS, inside.run.step))), key=rate)

    def reached(at: int) -> bool:
        return rate(at) > rate(high) / RAISED

    before = next((at for at in reversed(inside.steps) if at < high and not reached(at)), None)
    if before is None:
        return inside.steps[0]
    after = next(at for at in (*inside.steps, high) if at > before)
    return before + bisect_left(range(before, after), True, key=reached)


def tried(evidence: Evidence) -> Inside:
    """The inside of a run that has a learning rate to try. Raises Silent for one that has not."""
    inside = evidence.inside
    if DIAL not in inside.run.dials(inside.steps[0]):
        raise Silent(f"its program has no dial {DIAL!r} to try another value of")
    return inside


def begun(inside: Inside) -> float:
    """The loss that the run began with, by the program of the states that are looked at."""
    return inside.moment(inside.run.changed or 0).loss


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


def _scored(inside: Inside, step: int, least: float) -> float:
    """The score of a few steps from a state on; none is tried where there is too little to spare."""
    if ended(inside.trial(step, DIAL, 1.0, STEPS)) <= least:
        return NONE
    return spared(*losses(inside, step), least)


def spared(record: Losses, tenth: Losses, least: float) -> float:
    """What a tenth of the rate spares: of the loss, and of the least that matters, beyond the bound."""
    now, lower = ended(record), ended(tenth)
    if not math.isfinite(lower):
        return NONE
    if not math.isfinite(now):
        return math.log(1 / GAIN)
    gain = now - lower
    if gain <= 0 or now <= 0:
        return NONE
    return min(math.log(gain / now / GAIN), math.log(gain / least) if least else math.inf)


KIND = Kind(NAME, "a tenth of the learning rate would have spared much of the loss", look=look)
