"""exploding_gradient: the gradient of a layer is larger than its weights, where a step can hardly be small enough."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ontogeny.ask.evidence import COARSE, Evidence
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.findings.vanishing_gradient import by_layer, matrices
from ontogeny.ask.inside import Inside
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.stretch import stretch
from ontogeny.ask.sureness import sureness

NAME = "exploding_gradient"
RATIO = 4.0
"""The root mean square of a gradient over that of its weights, where it is as likely as not a fault."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """The matrix whose gradient is largest beside its weights; also right where the loss jumps."""
    inside = evidence.inside
    score = lambda step: _score(inside, step)  # noqa: E731
    found = stretch(
        inside.steps,
        COARSE,
        score,
        "largest gradient over its weights, of the bound",
        evidence.jumps,
        within=evidence.states.tolist(),
    )
    if found.score == NONE:
        return
    moment = inside.moment(found.peak)
    worst = max(matrices(inside), key=lambda name: _ratio(moment.gradient[name], moment.weight[name]))
    ratio = _ratio(moment.gradient[worst], moment.weight[worst])
    yield Finding(
        name=NAME,
        since=found.since,
        sureness=sureness(NAME, found.score),
        words=f"the gradient of {worst} is {ratio:.3g} times its weights, by their root mean squares",
        found=found.since,
        before=found.before,
        until=found.until,
        score=found.score,
        evidence=(found.line, by_layer(inside, found.peak)),
        figures={"gradient": moment.gradient[worst], "weight": moment.weight[worst], "ratio": ratio},
        remedies=(
            Remedy("clip the gradient's norm", "rule", {"edit": "clip", "arguments": {"norm": 1.0}}),
            Remedy("go back to before", "back", {"to": str(found.before)}),
            Remedy("initial weights that keep the scale from layer to layer, or normalisation"),
        ),
        tensors=(worst,),
    )


def _ratio(gradient: float, weight: float) -> float:
    if not math.isfinite(gradient):
        return math.inf
    return gradient / weight if weight else 0.0


def _score(inside: Inside, step: int) -> float:
    moment = inside.moment(step)
    ratio = max((_ratio(moment.gradient[name], moment.weight[name]) for name in matrices(inside)), default=0.0)
    return math.log(min(ratio, 1e12) / RATIO) if ratio > 0 else NONE


KIND = Kind(NAME, "gradients larger than the weights that they are of", look=look)
