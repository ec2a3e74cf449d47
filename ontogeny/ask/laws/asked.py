"""What a law is asked: runs to foretell and budgets as a person says them, the runs that it is fitted to, the answer.

`told` goes the whole way, from points to a law, its forecasts and what it cannot tell; every face has it from here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ontogeny.ask.laws.law import PER, SAMPLES, Law, Optimal, Prediction, best_supported, fitted
from ontogeny.ask.laws.of_runs import Asked, operations_each, points_of
from ontogeny.ask.laws.points import Points
from ontogeny.ask.laws.tuned import DecayLaw, decay_law
from ontogeny.isa.errors import LawError, OntogenyError
from ontogeny.record.recorded import Recorded

UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}
TIMES = ((1, 1), (2, 1), (10, 1), (1, 2), (1, 10), (10, 10))
Sized = tuple[float, float, float]


def quantity(text: str) -> float:
    """A number above 0 as a person says it: 1e9, 70B, 1.4T, 400k."""
    match = re.fullmatch(r"([0-9][0-9_.]*(?:e[+-]?\d+)?)\s*([kmgbt]?)", text.strip().lower())
    try:
        found = float(match[1].replace("_", "")) * UNITS[match[2]] if match else 0.0
    except ValueError:
        found = 0.0
    if not 0 < found < math.inf:
        raise OntogenyError(f"{text!r} is no quantity; give a number above 0, such as 1e9, 70B or 400k")
    return found


def sized(text: str) -> Sized:
    """N,D or N,D,EPOCHS as parameters, tokens seen, and distinct ones among them."""
    parts = text.split(",")
    if not 2 <= len(parts) <= 3:
        raise OntogenyError(f"{text!r} is no run to foretell; give N,D or N,D,EPOCHS, such as 1e9,20e9 or 1e9,20e9,4")
    size, tokens, *epochs = (quantity(part) for part in parts)
    return size, tokens, tokens / max(1.0, epochs[0] if epochs else 1.0)


def what_if(law: Law) -> list[Sized]:
    """The largest run, and it with twice and ten times the parameters, the data, or both."""
    if law.points is None:
        return []
    most = int((law.points.parameters * law.points.tokens).argmax())
    size, tokens, unique = (float(getattr(law.points, axis)[most]) for axis in ("parameters", "tokens", "unique"))
    grows = {"size": (True, False), "data": (False, True)}.get(law.form.name, (True, True))
    times = dict.fromkeys((n if grows[0] else 1, d if grows[1] else 1) for n, d in TIMES)
    found = [(size * n, tokens * d, unique * d) for n, d in times]
    if law.form.name in ("repetition", "excess"):
        found += [(size, tokens * again, unique) for again in (4, 16)]
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a law is asked: runs to foretell (else `what_if`), budgets of operations, and no more than `unique` tokens.

    `per` are the operations for a parameter and token that budgets go by; None: those that the runs' programs take.
    """

    sizes: tuple[Sized, ...] = ()
    budgets: tuple[float, ...] = ()
    unique: float | None = None
    per: float | None = None

    @staticmethod
    def parse(sizes: Sequence[str], budgets: Sequence[str], unique: str = "", per: float | None = None) -> Wanted:
        """The same as a person says it. Raises OntogenyError for what is no quantity."""
        said = tuple(map(sized, sizes)), tuple(map(quantity, budgets))
        return Wanted(*said, quantity(unique) if unique else None, per)


@dataclass(frozen=True, slots=True)
class Given:
    """Points to fit a law to, what is counted of them, and the operations that a parameter and token take.

    Without points the law is a published one.
    """

    points: Points | None
    unit: str = "tokens"
    per: float = PER


@dataclass(frozen=True)
class Told:
    """A law and what was asked of it. `decays` are rows of parameters, distinct tokens, best weight decay, its ends."""

    law: Law
    unit: str
    each: float
    refused: dict[str, str]
    predictions: list[Prediction]
    asymptotes: list[Prediction]
    optimal: list[Optimal]
    decays: list[tuple[float, float, float, float, float]]

    def as_json(self) -> dict[str, Any]:
        """The same in plain values."""
        names = ("parameters", "unique", "value", "low", "high")
        return self.law.as_json() | {
            "unit": self.unit,
            "refused": self.refused,
            "predictions": [asdict(one) for one in self.predictions],
            "asymptotes": [asdict(one) for one in self.asymptotes],
            "operations_each": self.each,
            "optimal": [asdict(one) for one in self.optimal],
            "best_decay": [dict(zip(names, row, strict=True)) for row in self.decays],
        }


def of_runs(runs: Sequence[Recorded], which: Asked, best: bool = False, drop: int = 0) -> Given:
    """The points of runs; of runs of one size and data the `best` alone, without the `drop` highest losses."""
    points = points_of(runs, which)
    measured = float(np.median([operations_each(run, which.counted) for run in runs]))
    return Given(chosen(points, best, drop), "tokens" if which.counted else "examples", measured)


def chosen(points: Points, best: bool, drop: int) -> Points:
    """The best of those of one size and data where that is asked, without so many of the highest losses."""
    return (points.best_of_each() if best else points).without_highest(drop)


def told(
    given: Given, wanted: Wanted, form: str = "", samples: int = SAMPLES, seed: int = 0, law: Law | None = None
) -> Told:
    """The law of a form, or of the richest form that the points support, and what is asked of it.

    `law` is one that was fitted elsewhere, for no points. LawError, in words that say which runs to add, where the
    points do not support one.
    """
    refused: dict[str, str] = {}
    if law is None:
        assert given.points is not None
        law, refused = (
            (fitted(given.points, form, samples, seed), {}) if form else best_supported(given.points, samples, seed)
        )
    decay = _decays(given.points)
    each, sizes = given.per if wanted.per is None else wanted.per, wanted.sizes or what_if(law)
    return Told(
        law=law,
        unit=given.unit,
        each=each,
        refused=refused,
        predictions=[law.predict(*one) for one in sizes],
        asymptotes=law.asymptotes() if law.form.name in ("tuned", "size") else [],
        optimal=[law.optimal(one, wanted.unique, each) for one in wanted.budgets],
        decays=[(n, u, *decay.at(n, u)) for n, _, u in sizes] if decay else [],
    )


def _decays(points: Points | None) -> DecayLaw | None:
    """The law of the best weight decay, where the runs tell it."""
    try:
        return None if points is None else decay_law(points)
    except LawError:
        return None
