"""saturated_units: bounded units (tanh, sigmoid) that sit at their bounds, where no gradient passes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ontogeny.ask.evidence import COARSE, Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.inside import Activity, Inside
from ontogeny.ask.kind import Kind
from ontogeny.ask.stretch import log_odds, stretch
from ontogeny.ask.sureness import sureness

NAME = "saturated_units"
SHARE = 0.55
"""Of a layer's activations, how many lie at a bound where it is as likely as not a fault."""
SHOWN = 64


def look(evidence: Evidence) -> Iterator[Finding]:
    """The layer with the largest share of saturated activations."""
    inside = evidence.inside
    if not any(layer.op.text in ("tanh", "sigmoid") for layer in inside.layers):
        raise Silent("it has no hidden units with bounds: no tanh or sigmoid")
    score = lambda step: _score(inside, step)  # noqa: E731
    found = stretch(inside.steps, COARSE, score, "odds of saturation, of their bound", within=evidence.states.tolist())
    worst = worst_of(inside, found.peak)
    share = float(worst.saturated.mean())
    units = np.flatnonzero(worst.saturated > SHARE)[:SHOWN]
    tensor = worst.layer.tensor
    yield Finding(
        name=NAME,
        since=found.since,
        sureness=sureness(NAME, found.score),
        words=f"{share:.0%} of the activations of the {len(worst.saturated)} units that {tensor} feeds are at a bound",
        found=found.since,
        before=found.before,
        until=found.until,
        score=found.score,
        evidence=(found.line,),
        figures={"share": share, "units": float(len(worst.saturated))},
        remedies=(
            Remedy("scale its weights down", "alter", {"how": "scale", "tensors": [tensor], "amount": 0.1}),
            Remedy("go back to before", "back", {"to": str(found.before)}),
            Remedy("normalise what enters the layer, or start it from smaller weights"),
        ),
        tensors=(tensor,),
        units=tuple(f"{tensor}[{unit}]" for unit in units),
    )


def worst_of(inside: Inside, step: int) -> Activity:
    """The layer with the largest share of saturated activations."""
    return max(inside.activity(step), key=lambda one: float(one.saturated.mean()))


def _score(inside: Inside, step: int) -> float:
    return log_odds(float(worst_of(inside, step).saturated.mean())) - log_odds(SHARE)


KIND = Kind(NAME, "bounded units that sit at their bounds", look=look)
