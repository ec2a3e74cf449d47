"""edge_of_stability: a step takes back so much of a perturbation that it would not die out (Cohen et al. 2021).

For gradient descent the bound is sharpness = 2 / learning rate; with momentum or a first moment beta, 2 (1 + beta) of
what the step itself takes back. It is a state, not a fault: large batches train there for most of the time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ontogeny.ask.evidence import Evidence
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.inside import Inside
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.stretch import stretch
from ontogeny.ask.sureness import sureness

NAME = "edge_of_stability"
NEAR = 0.9
"""Of the bound, where it begins."""
EVERY = 8
CARRIED = ("momentum", "beta1")


def look(evidence: Evidence) -> Iterator[Finding]:
    """The curvature that the step sees, over its bound, by the batch of the step."""
    inside = evidence.inside
    found = stretch(inside.steps, EVERY, lambda step: _score(inside, step), "curvature, of its bound", lasting=2)
    if found.score == NONE:
        return
    share = math.exp(found.score) * NEAR
    yield Finding(
        name=NAME,
        since=found.since,
        sureness=sureness(NAME, found.score),
        words=f"a step takes back {share:.2f} times as much of a perturbation as would let it grow",
        found=found.since,
        until=found.until,
        score=found.score,
        fault=False,
        evidence=(found.line,),
        figures={"of_bound": share, "bound": bound(inside, found.peak)},
        remedies=(Remedy("where the loss jumps: half the learning rate", "set", {"dial": "lr", "by": 0.5}),),
    )


def bound(inside: Inside, step: int) -> float:
    """What a step may take back at most."""
    dials = inside.run.dials(step)
    return 2 * (1 + max((dials[name] for name in CARRIED if name in dials), default=0.0))


def _score(inside: Inside, step: int) -> float:
    found = inside.curvature(step)
    return math.log(found / bound(inside, step) / NEAR) if found > 0 and math.isfinite(found) else NONE


KIND = Kind(NAME, "the learning rate is as large as the curvature bears", look=look, fault=False)
