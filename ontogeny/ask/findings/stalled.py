"""stalled: the loss has hardly moved from where it began, after enough steps for it to have done so.

A plateau that is reached later is no fault by itself: whether anything is left to gain, the metrics do not tell.
"""

from __future__ import annotations

import math

from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.progress import Progress
from ontogeny.ask.sureness import sureness

NAME = "stalled"
PATIENCE = 100
"""Steps that a loss is given before it is expected to move."""
RISEN = 1.1
"""So many times the first loss is no stand-still, but divergence."""
SHARE = 0.01
"""Of the first loss, what at least has to be gained."""


class Stalled:
    """Whether less than a small share of the first loss was gained."""

    def __init__(self) -> None:
        self._score = NONE
        self._gained = 0.0

    def step(self, told: Progress) -> float:
        """Beyond 0 where less than SHARE was gained."""
        loss = told.loss
        if loss.count < PATIENCE or loss.nonfinite is not None or loss.level > RISEN * loss.first:
            return NONE
        self._gained = (loss.first - loss.level) / loss.first
        self._score = math.log(SHARE / max(self._gained, SHARE / 20))
        return self._score

    def finding(self, told: Progress) -> Finding:
        """As of the last step."""
        loss = told.loss
        return Finding(
            name=NAME,
            since=0,
            sureness=sureness(NAME, self._score),
            words=f"after {loss.count} steps the loss is {loss.level:.4g}, where it began at {loss.first:.4g}",
            found=told.step,
            score=self._score,
            evidence=(loss.series("loss"),),
            figures={"first": loss.first, "now": loss.level, "gained": self._gained},
            remedies=(
                Remedy("ten times the learning rate", "set", {"dial": "lr", "by": 10.0}),
                Remedy("look whether labels belong to their inputs, and whether every layer gets a gradient"),
            ),
        )


KIND = Kind(NAME, "the loss has hardly moved from where it began", watch=Stalled)
