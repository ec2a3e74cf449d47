"""diverging: the loss has turned non-finite, or has lost at least half of what it had gained and stays there."""

from __future__ import annotations

import math

from ontogeny.ask.curve import FEW, Curve
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.progress import Progress
from ontogeny.ask.sureness import sureness

NAME = "diverging"
LOST = 0.5
"""The share of what was gained that has to be lost again."""
ABOVE = 1.5
"""So many times above where it began, where little had been gained."""


class Diverging:
    """Where all of the last few losses are above the bound; the bound goes by what had been gained before."""

    def __init__(self) -> None:
        self._sound = 0
        self._score = NONE

    def step(self, told: Progress) -> float:
        """Beyond 0 where the lowest of the last few losses is above the bound."""
        self._score = self._scored(told.loss)
        return self._score

    def _scored(self, loss: Curve) -> float:
        if loss.nonfinite is not None:
            return math.inf
        if loss.count < 2 * FEW:
            self._sound = loss.step
            return NONE
        bound = _bound(loss)
        if loss.value <= bound:
            self._sound = loss.step
        low = min(loss.recent)
        return math.log((low - loss.best) / (bound - loss.best)) if low > loss.best else NONE

    def finding(self, told: Progress) -> Finding:
        """As of the last step."""
        loss = told.loss
        since = self._sound if loss.nonfinite is None else loss.nonfinite - 1
        words = f"the loss has risen from {loss.best:.4g} at step {loss.best_step} to {loss.level:.4g} and stays there"
        return Finding(
            name=NAME,
            since=since,
            sureness=sureness(NAME, self._score),
            words=words if loss.nonfinite is None else "the loss is no longer a finite number",
            found=told.step,
            score=self._score,
            evidence=(loss.series("loss"),),
            figures={"best": loss.best, "best_step": float(loss.best_step), "now": loss.level},
            remedies=remedies(since),
        )


def _bound(loss: Curve) -> float:
    """What the loss must stay above: half-way back to where it began, and clear of its noise."""
    gained, apart = loss.gained, 4 * loss.noise + 1e-30
    if gained > apart:
        return loss.best + max(LOST * gained, apart)
    return loss.first + max((ABOVE - 1) * abs(loss.first), apart)


def remedies(since: int) -> tuple[Remedy, ...]:
    """What is done about it."""
    return (
        Remedy("go back to before it began", "back", {"to": str(since)}),
        Remedy("a tenth of the learning rate from there", "set", {"dial": "lr", "by": 0.1}),
        Remedy("clip the gradient's norm", "rule", {"edit": "clip", "arguments": {"norm": 1.0}}),
    )


KIND = Kind(NAME, "the loss grows instead of falling", watch=Diverging)
