"""From which state to which something holds: looked at now and then over a window, and by halving in between."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ontogeny.ask.finding import Series, series


@dataclass(frozen=True, slots=True)
class Stretch:
    """Holds from the state `since` on, and no longer at `until` (None: to the end). `score` is the highest in it.

    `before` is the last state looked at before it, at which it does not hold; `since` itself where there is none. Where
    it holds nowhere, `since` is where the score is highest, which is then at most 0.
    """

    since: int
    before: int
    until: int | None
    score: float
    peak: int
    line: Series


def stretch(
    grid: tuple[int, ...],
    every: int,
    score: Callable[[int], float],
    name: str,
    further: Iterable[int] = (),
    lasting: int = 1,
    within: Sequence[int] = (),
) -> Stretch:
    """The stretch with the highest score above 0, looked for at every so many of a grid and at `further` states.

    It holds at `lasting` neighbours among these at least, or at all there are. Its beginning is halved for over the
    grid, or over the states `within`.
    """
    looked = sorted({*grid[::every], grid[-1], *further})
    scores = [score(step) for step in looked]
    scores = lasted(scores, lasting)
    peak = max(range(len(looked)), key=lambda place: scores[place])
    line = series(name, looked, (math.exp(min(50.0, one)) for one in scores))
    if scores[peak] <= 0:
        return Stretch(looked[peak], looked[peak], None, scores[peak], looked[peak], line)
    first = last = peak
    while first and scores[first - 1] > 0:
        first -= 1
    while last + 1 < len(looked) and scores[last + 1] > 0:
        last += 1
    before, since = _halved(within or grid, looked[max(0, first - 1)], looked[first], score)
    until = looked[last + 1] if last + 1 < len(looked) else None
    return Stretch(since, before, until, scores[peak], looked[peak], line)


def lasted(scores: list[float], count: int) -> list[float]:
    """For each score the highest that it and its neighbours, so many together, all reach."""
    count = min(count, len(scores))
    least = [min(scores[at : at + count]) for at in range(len(scores) - count + 1)]
    return [max(least[max(0, at - count + 1) : at + 1]) for at in range(len(scores))]


def _halved(states: Sequence[int], sound: int, bad: int, score: Callable[[int], float]) -> tuple[int, int]:
    """Two neighbours among some states between a sound state and a bad one: the last without it, the first with it."""
    between = [step for step in states if sound < step < bad]
    while between:
        middle = between[len(between) // 2]
        if score(middle) > 0:
            bad, between = middle, [step for step in between if step < middle]
        else:
            sound, between = middle, [step for step in between if step > middle]
    return sound, bad


def log_odds(share: float) -> float:
    """The logarithm of a share's odds, bounded for none and all."""
    share = min(max(share, 1e-4), 1 - 1e-4)
    return math.log(share / (1 - share))
