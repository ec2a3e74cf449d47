"""memorising: held-out loss has turned upwards while training loss goes on falling below it.

A rise has to last, since held-out loss goes up and down in sound runs, too. Where training loss is a small part of it,
the gap tells already that examples are known by heart, and a small rise at one evaluation is enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ontogeny.ask.curve import Curve
from ontogeny.ask.evidence import COARSE, Evidence
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.memorised import Meter, canaries
from ontogeny.ask.progress import Progress
from ontogeny.ask.stretch import stretch
from ontogeny.ask.sureness import sureness
from ontogeny.record.attach import Attached

NAME = "memorising"
HALF = 0.5
"""Of the canaries, how many known by heart are as likely as not a fault."""
RISE = 0.06
"""Of its best, how far the held-out loss has to have risen."""
MATTERS = 0.025
"""And of the held-out loss that the run began with."""
FALLEN = 0.85
"""Of what it was when the held-out loss was best, what training loss has come down to at least."""
CLEAR = 3.0
"""So many times the noise of the held-out loss, too."""
BY_HEART = 0.1
"""Of the held-out loss, what training loss is at most where the gap itself speaks of memorising."""
RISE_BY_HEART, MATTERS_BY_HEART, CLEAR_BY_HEART = 0.04, 0.01, 1.0
"""How far the last held-out loss has to have risen there."""


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
        return max(self._lasting(held, loss), _by_heart(held, loss))

    def _lasting(self, held: Curve, loss: Curve) -> float:
        """A rise that all of the last few evaluations have."""
        if held.level <= loss.level or loss.level > FALLEN * self._trained_at_best:
            return NONE
        return _risen(held, min(held.recent) - held.best, RISE, MATTERS, CLEAR)

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


def _by_heart(held: Curve, loss: Curve) -> float:
    """A rise of the last evaluation, where training loss is far below it."""
    if loss.level > BY_HEART * held.level:
        return NONE
    return _risen(held, held.value - held.best, RISE_BY_HEART, MATTERS_BY_HEART, CLEAR_BY_HEART)


def _risen(held: Curve, rise: float, share: float, matters: float, clear: float) -> float:
    """How far beyond its bound a rise is: a share of the best, and of the first, and clear of noise."""
    if rise <= clear * held.noise:
        return NONE
    return math.log(rise / max(share * abs(held.best), matters * abs(held.first), 1e-12))


def remedies(step: int) -> tuple[Remedy, ...]:
    """What is done about it."""
    return (
        Remedy("stronger weight decay", "set", {"dial": "weight_decay", "by": 10.0}),
        Remedy("stop, and keep the state at which held-out loss was best", "back", {"to": str(step)}),
        Remedy("more, or more varied, examples"),
    )


def look(evidence: Evidence) -> Iterator[Finding]:
    """Whether it knows canaries by heart: examples with random labels that were planted to tell (`data/canaries.py`).

    Others can be named by a note of the kind "canaries" whose `examples` are runs (first, one past the last).
    """
    if isinstance(evidence.run, Attached) or canaries(evidence.run) is None:
        return
    inside, meter = evidence.inside, Meter(evidence.run, state=evidence.inside.state)
    if not len(meter.numbers):
        return
    found = stretch(inside.steps, COARSE, lambda step: _score(meter.known(step)), "canaries known, of half of them")
    known, index = meter.known(found.peak), meter(found.peak).index
    beside = f": memorisation index {index.value:.2f} ({index.low:.2f} to {index.high:.2f})" if index else ""
    figures = {"index": index.value, "low": index.low, "high": index.high} if index else {}
    yield Finding(
        name=NAME,
        since=found.since,
        sureness=sureness(NAME, found.score),
        words=f"{known:.0%} of the {len(meter.numbers)} canaries have the label that they were planted with{beside}",
        found=found.since,
        until=found.until,
        score=found.score,
        evidence=(found.line,),
        figures={"canaries": known, **figures},
        remedies=remedies(found.since),
        examples=tuple(meter.numbers.tolist()),
    )


def _score(known: float) -> float:
    return math.log(known / HALF) if known else NONE


KIND = Kind(NAME, "it fits its training examples, not what they are examples of", watch=Memorising, look=look)
