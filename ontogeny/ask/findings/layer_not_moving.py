"""layer_not_moving: a layer's updates are, beside its weights, thousands of times smaller than those of others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from ontogeny.ask.evidence import COARSE, Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy, series
from ontogeny.ask.findings.vanishing_gradient import matrices
from ontogeny.ask.inside import Inside
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.stretch import stretch
from ontogeny.ask.sureness import sureness

NAME = "layer_not_moving"
RATIO = 1e-3
"""Of the other layers' relative update, what a layer's is where it is as likely as not a fault."""
LEAST = 1e-6
"""Of the other layers', what counts as none at all."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """The layer that moves least, beside the middle of all."""
    inside = evidence.inside
    if len(matrices(inside)) < 2:
        raise Silent("it has one matrix only, and no others to compare it with")
    score = lambda step: _score(inside, step)  # noqa: E731
    found = stretch(inside.steps, COARSE, score, "how much slower the slowest layer moves, of the bound", lasting=2)
    if found.score == NONE:
        return
    moves = relative(inside, found.peak)
    slow, usual = min(moves, key=lambda name: moves[name]), median(moves.values())
    yield Finding(
        name=NAME,
        since=found.since,
        sureness=sureness(NAME, found.score),
        words=f"a step changes {slow} by {moves[slow]:.1e} of its weights, and layers in general by {usual:.1e}",
        found=found.since,
        until=found.until,
        score=found.score,
        evidence=(found.line, series("relative update by layer", range(len(moves)), moves.values())),
        figures={"relative_update": moves[slow], "usual": usual},
        remedies=(
            Remedy(
                "look whether a gradient reaches it (detach, no_grad, dead units), and whether it is in the optimizer"
            ),
        ),
        tensors=(slow,),
    )


def relative(inside: Inside, step: int) -> dict[str, float]:
    """The root mean square of each matrix's update over that of its weights."""
    moment = inside.moment(step)
    return {n: moment.update[n] / moment.weight[n] for n in matrices(inside) if moment.weight[n] > 0}


def _score(inside: Inside, step: int) -> float:
    moves = list(relative(inside, step).values())
    usual = median(moves) if moves else 0.0
    if not usual > 0 or not math.isfinite(usual):
        return NONE
    return math.log(RATIO * usual / max(min(moves), LEAST * usual))


KIND = Kind(NAME, "a layer that hardly moves while others do", look=look)
