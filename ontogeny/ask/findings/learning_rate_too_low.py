"""learning_rate_too_low: with a hundred times it from a state on, the next steps would still have ended lower. Tried.

A rate that is right may leave something to gain at ten times its value; a hundred times that throws any run out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ontogeny.ask.evidence import Evidence
from ontogeny.ask.finding import Finding, Remedy, series
from ontogeny.ask.findings.learning_rate_too_high import DIAL, STEPS, begun, ended, tried, within
from ontogeny.ask.inside import Inside
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.stretch import stretch
from ontogeny.ask.sureness import sureness

NAME = "learning_rate_too_low"
HIGHER = 100.0
EVERY = 8
GAIN = 0.003
"""Of the loss, and of the one that the run began with, what a hundred times the rate has to gain."""


LOST = 1.2
"""Times the loss that the run began with: above it, a run is lost for other reasons."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """Tries a hundred times the learning rate."""
    inside = tried(evidence)
    first = begun(inside)
    score = lambda step: _score(inside, step, first)  # noqa: E731
    found = stretch(within(inside), EVERY, score, "gained by 100 times the rate, of the bound", lasting=3)
    if found.score == NONE:
        return
    record, higher = (inside.trial(found.peak, DIAL, factor, STEPS) for factor in (1.0, HIGHER))
    steps = range(found.peak + 1, found.peak + 1 + STEPS)
    now, then = ended(record), ended(higher)
    yield Finding(
        name=NAME,
        since=found.since,
        sureness=sureness(NAME, found.score),
        words=f"{STEPS} steps from step {found.peak} end at a loss of {now:.4g}; at 100 times the rate, {then:.4g}",
        found=found.since,
        until=found.until,
        score=found.score,
        evidence=(series("loss", steps, record), series("100 times the rate", steps, higher)),
        figures={"loss": now, "at_100_times": then, "rate": inside.run.dials(found.peak)[DIAL]},
        remedies=(Remedy("ten times the learning rate", "set", {"dial": DIAL, "by": 10.0}),),
    )


def _score(inside: Inside, step: int, first: float) -> float:
    now, higher = (ended(inside.trial(step, DIAL, factor, STEPS)) for factor in (1.0, HIGHER))
    if not math.isfinite(higher) or higher >= now or not 0 < now <= LOST * abs(first):
        return NONE
    return math.log((now - higher) / max(now, abs(first)) / GAIN)


KIND = Kind(NAME, "a hundred times the learning rate would still have learned more", look=look)
