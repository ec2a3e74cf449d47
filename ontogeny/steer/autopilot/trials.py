"""Trials: forks that go on for some steps and are scored on the search's half of what is held out, and halving them.

A leg is the work of one fork: so many steps, scored now and then. It is done here, or by workers in processes of their
own that open the run's folder (`ask/workers.py`), and its steps are the same bits either way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run, open_run
from ontogeny.steer.autopilot.heldout import Measure, Scorer, held_out
from ontogeny.steer.autopilot.proposal import Proposal

HELD = "held-out examples"


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured at a step: the score (less is better), and the mean training loss since the last row."""

    step: int
    score: float
    loss: float
    results: dict[str, float]

    def as_json(self) -> list[Any]:
        """As plain values; what is no finite number is None."""
        return [self.step, _plain(self.score), _plain(self.loss), {k: _plain(v) for k, v in self.results.items()}]

    @staticmethod
    def of(content: list[Any]) -> Row:
        """The row that `as_json` wrote."""
        step, score, loss, results = content
        values = {name: math.nan if value is None else value for name, value in results.items()}
        return Row(step, math.inf if score is None else score, math.inf if loss is None else loss, values)


@dataclass(frozen=True, slots=True)
class Leg:
    """So far a run goes, and how often it is scored on the way."""

    folder: Path
    first: int
    to: int
    every: int
    measure: Measure


@dataclass(frozen=True, slots=True)
class Went:
    """How far a leg came, what was measured on it, and why it broke off where it did."""

    step: int
    rows: tuple[Row, ...]
    broken: str = ""


@dataclass(eq=False)
class Trial:
    """A fork of the run, what was changed in it, and how it does. `step` is how far it has come."""

    proposal: Proposal
    name: str
    base: int
    parent: Trial | None = None
    step: int = 0
    rows: list[Row] = field(default_factory=list)
    by_way: tuple[str, ...] = ()
    """The runs that it was made by way of, the first first: a rule is edited on a fork of a fork."""
    out: str = ""
    """Why it gets no more steps; empty while it may."""

    @property
    def taken(self) -> int:
        """The steps that were computed for it."""
        return self.step - self.base

    @property
    def score(self) -> float:
        """The last score; infinite where it broke."""
        return self.rows[-1].score if self.rows and not self.broken else math.inf

    @property
    def broken(self) -> bool:
        """Whether its last figures are no numbers."""
        return bool(self.rows) and not (math.isfinite(self.rows[-1].score) and math.isfinite(self.rows[-1].loss))

    def history(self) -> list[Row]:
        """What was measured on it and on what it was forked from, in order."""
        before = [row for row in self.parent.history() if row.step <= self.base] if self.parent else []
        return [*before, *self.rows]

    @property
    def runs(self) -> tuple[str, ...]:
        """All runs that were made for it, its own last."""
        return (*self.by_way, self.name)

    def lineage(self) -> Iterator[Trial]:
        """It, what it was forked from, and so on."""
        yield self
        if self.parent is not None:
            yield from self.parent.lineage()


def go(run: Run, leg: Leg, scorer: Scorer) -> Went:
    """Takes a run through a leg. What an earlier start has taken already is only scored again."""
    rows: list[Row] = []
    before = leg.first
    while before < leg.to:
        step = min(before + leg.every, leg.to)
        try:
            if step > run.step:
                run.advance(step - run.step)
            results = scorer.results(run, None if step == run.step else step)
            losses = run.metrics(before + 1, step).get("loss", ())
            loss = float(sum(losses) / len(losses)) if len(losses) else 0.0
        except OntogenyError as error:
            return Went(run.step, (*rows, Row(run.step, math.inf, math.inf, {})), str(error))
        rows.append(Row(step, scorer.measure.of(results), loss, results))
        before = step
    return Went(leg.to, tuple(rows))


def gone(leg: Leg) -> Went:
    """The same in a process of its own, which opens the run."""
    with open_run(leg.folder) as run:
        return go(run, leg, Scorer(held_out(run), leg.measure))


def ranked(trials: list[Trial], begun: float) -> tuple[list[Trial], str]:
    """The trials, the best first, and by what: held-out scores, unless all are no better than where they began.

    Before anything generalises, those say only who has moved least; then the training loss decides.
    """
    if min((trial.score for trial in trials), default=math.inf) < begun:
        return sorted(trials, key=lambda trial: trial.score), HELD
    return sorted(trials, key=_trained), "training loss, since held-out examples tell nothing yet"


def _trained(trial: Trial) -> float:
    return trial.rows[-1].loss if trial.rows and not trial.broken else math.inf


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
