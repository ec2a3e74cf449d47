"""vanishing_gradient: some layers get a gradient that is thousands of times smaller than others do."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ontogeny.ask.evidence import COARSE, Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy, Series, series
from ontogeny.ask.inside import Inside
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.stretch import stretch
from ontogeny.ask.sureness import sureness

NAME = "vanishing_gradient"
RATIO = 1e-3
"""The smallest over the largest gradient of a matrix where it is as likely as not a fault."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """The matrix with the smallest gradient beside the one with the largest."""
    inside = evidence.inside
    if len(matrices(inside)) < 3:
        raise Silent("it has fewer than three matrices, through which a gradient could vanish")
    score = lambda step: _score(inside, step)  # noqa: E731
    found = stretch(inside.steps, COARSE, score, "largest over smallest gradient, of 1000", lasting=2)
    if found.score == NONE:
        return
    small, large = _ends(inside, found.peak)
    gradient = inside.moment(found.peak).gradient
    ratio = gradient[small] / gradient[large]
    yield Finding(
        name=NAME,
        since=found.since,
        sureness=sureness(NAME, found.score),
        words=f"the gradient of {small} is {ratio:.1e} of that of {large}",
        found=found.since,
        until=found.until,
        score=found.score,
        evidence=(found.line, by_layer(inside, found.peak)),
        figures={"smallest": gradient[small], "largest": gradient[large], "ratio": ratio},
        remedies=(
            Remedy("a rule that scales each parameter's step by itself", "rule", {"edit": "adamw"}),
            Remedy(
                "residual connections or normalisation, and initial weights that keep the scale from layer to layer"
            ),
        ),
        tensors=(small, large),
    )


def matrices(inside: Inside) -> tuple[str, ...]:
    """The parameters with two dimensions or more that have a gradient, in the model's order."""
    return tuple(d.name for d in inside.parameters if len(d.type.shape) > 1 and (d.arena or d.name) in inside.gradients)


def by_layer(inside: Inside, step: int) -> Series:
    """The gradients of a state by matrix, counted from 0, as a line."""
    gradient = inside.moment(step).gradient
    return series("gradient by layer", range(len(matrices(inside))), (gradient[name] for name in matrices(inside)))


def _ends(inside: Inside, step: int) -> tuple[str, str]:
    gradient = inside.moment(step).gradient
    names = [name for name in matrices(inside) if gradient[name] > 0]
    return min(names, key=lambda name: gradient[name]), max(names, key=lambda name: gradient[name])


def _score(inside: Inside, step: int) -> float:
    """None where there is no gradient at all, or one that is not finite: other kinds speak of that."""
    gradient = inside.moment(step).gradient
    values = [gradient[name] for name in matrices(inside)]
    if not min(values) > 0 or not math.isfinite(max(values)):
        return NONE
    return math.log(RATIO * max(values) / min(values))


KIND = Kind(NAME, "some layers get hardly any gradient", look=look)
