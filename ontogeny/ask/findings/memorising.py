"""memorising: held-out loss has turned upwards while training loss goes on falling below it."""

from __future__ import annotations

import math

from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.progress import Progress
from ontogeny.ask.sureness import sureness

NAME = "memorising"
RISE = 0.03
"""Of its best, how far the held-out loss has to have risen."""
FALLEN = 0.85
"""Of what it was when the held-out loss was best, what training loss has come down to at least."""
CLEAR = 3.0
"""So many times the noise of the held-out loss, too."""


class Memorising:
    """The rise of held-out loss over its best, since when training loss has not risen."""

    def __init__(self) -> None:
        self._trained_at_best = self._best = math.inf
        self._score = NONE

    def step(self, told: Progress) -> float:
        """Beyond 0 where the held-out loss has risen by RISE of its best; as of the last evaluation."""
        if told.evaluated:
            self._score = self._scored(told)
        return self._score

    def _scored(self, told: Progress) -> float:
        held, loss = told.valid_loss, told.loss
        if held.count < 3 or loss.count < 3:
            return NONE
        if held.best < self._best:
            self._best, self._trained_at_best = held.best, loss.level
        rise = min(held.recent) - held.best
        if rise <= CLEAR * held.noise or held.level <= loss.level or loss.level > FALLEN * self._trained_at_best:
            return NONE
        return math.log(rise / max(abs(held.best), 1e-12) / RISE)

    def finding(self, told: Progress) -> Finding:
        """As of the last evaluation."""
        held, loss = told.valid_loss, told.loss
        words = (
            f"held-out loss has risen from {held.best:.4g} at step {held.best_step} to {held.level:.4g}, while "
            f"training loss went from {self._trained_at_best:.4g} to {loss.level:.4g}"
        )
        return Finding(
            name=NAME,
            since=held.best_step,
            sureness=sureness(NAME, self._score),
            words=words,
            found=told.step,
            score=self._score,
            evidence=(loss.series("loss"), held.series("valid.loss")),
            figures={"best": held.best, "now": held.level, "train": loss.level},
            remedies=remedies(held.best_step),
        )


def remedies(step: int) -> tuple[Remedy, ...]:
    """What is done about it."""
    return (
        Remedy("stronger weight decay", {"command": "set", "dial": "weight_decay", "by": 10.0}),
        Remedy("stop, and keep the state at which held-out loss was best", {"command": "back", "to": str(step)}),
        Remedy("more, or more varied, examples"),
    )


KIND = Kind(NAME, "it fits its training examples, not what they are examples of", watch=Memorising)
