"""lost_updates: updates that are not zero, yet so small beside their parameter that its number format swallows them."""

from __future__ import annotations

from collections.abc import Iterator

from ontogeny.ask.evidence import Evidence
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.kind import Kind
from ontogeny.ask.stretch import log_odds, stretch
from ontogeny.ask.sureness import sureness

NAME = "lost_updates"
SHARE = 0.75
"""Of all updates that are not zero, how many are lost where it is as likely as not a fault."""
EVERY = 8


def look(evidence: Evidence) -> Iterator[Finding]:
    """The share of updates that are lost, over all parameters, worked out in f64."""
    inside = evidence.inside
    score = lambda step: log_odds(inside.lost(step).share) - log_odds(SHARE)  # noqa: E731
    found = stretch(inside.steps, EVERY, score, "odds of a lost update, of their bound", lasting=2)
    lost = inside.lost(found.peak)
    worst = sorted(lost.tensors, key=lambda name: -lost.tensors[name])
    formats = sorted({decl.type.dtype.value for decl in inside.parameters})
    yield Finding(
        name=NAME,
        since=found.since,
        sureness=sureness(NAME, found.score),
        words=f"{lost.share:.0%} of the updates at step {found.peak} are lost to rounding in {' and '.join(formats)}",
        found=found.since,
        until=found.until,
        score=found.score,
        evidence=(found.line,),
        figures={"share": lost.share, "updates": float(lost.updates)},
        remedies=(
            Remedy("keep the parameters in a wider format, or round at random"),
            Remedy("ten times the learning rate", "set", {"dial": "lr", "by": 10.0}),
        ),
        tensors=tuple(name for name in worst if lost.tensors[name] > SHARE),
    )


KIND = Kind(NAME, "updates are swallowed by the number format", look=look)
