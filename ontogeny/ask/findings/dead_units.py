"""dead_units: units that give nothing for any example, in most of a layer, and so learn nothing any more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ontogeny.ask.evidence import COARSE, Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.inside import Activity, Inside
from ontogeny.ask.kind import Kind
from ontogeny.ask.stretch import log_odds, stretch
from ontogeny.ask.sureness import sureness

NAME = "dead_units"
SHARE = 0.6
"""Of a layer's units, how many are as likely as not a fault. Some are dead in many a sound network."""
SHOWN = 64


def look(evidence: Evidence) -> Iterator[Finding]:
    """The layer with the largest share of dead units."""
    inside = evidence.inside
    if not any(layer.op.text not in ("tanh", "sigmoid") for layer in inside.layers):
        raise Silent("it has no hidden units that can be dead: no ReLU, GELU or SiLU")

    score = lambda step: _score(inside, step)  # noqa: E731
    found = stretch(inside.steps, COARSE, score, "odds of dead units, of their bound", within=evidence.states.tolist())
    worst = worst_of(inside, found.peak)
    share = float(worst.dead.mean())
    units = np.flatnonzero(worst.dead)[:SHOWN]
    yield Finding(
        name=NAME,
        since=found.since,
        sureness=sureness(NAME, found.score),
        words=f"{worst.dead.sum()} of {len(worst.dead)} units ({share:.0%}) that {worst.layer.tensor} feeds are dead",
        found=found.since,
        before=found.before,
        until=found.until,
        score=found.score,
        evidence=(found.line,),
        figures={"dead": float(worst.dead.sum()), "units": float(len(worst.dead)), "share": share},
        remedies=(
            Remedy("start the dead units anew", "alter", {"how": "reset", "tensors": [worst.layer.tensor]}),
            Remedy("go back to before they died", "back", {"to": str(found.before)}),
            Remedy("a lower learning rate, or a nonlinearity that is never flat (leaky ReLU, GELU)"),
        ),
        tensors=(worst.layer.tensor,),
        units=tuple(f"{worst.layer.tensor}[{unit}]" for unit in units),
    )


def worst_of(inside: Inside, step: int) -> Activity:
    """The layer with the largest share of dead units."""
    return max(inside.activity(step), key=lambda one: float(one.dead.mean()))


def _score(inside: Inside, step: int) -> float:
    return log_odds(float(worst_of(inside, step).dead.mean())) - log_odds(SHARE)


KIND = Kind(NAME, "units that give nothing for any example", look=look)
