"""A fitted law, and what it foretells: losses, the best use of a budget, each with an interval from resampled points.

law = fitted(points(parameters, tokens, losses))
law.predict(1e9, 2e10)
law.optimal(1e21)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ontogeny.ask.laws.descent import DELTA, Bools, Task, descend
from ontogeny.ask.laws.forms import Floats, Form, log_loss
from ontogeny.ask.laws.points import Points, groups, points
from ontogeny.ask.laws.starts import lowest
from ontogeny.ask.laws.support import check_asked, check_fit, check_points
from ontogeny.ask.laws.table import FORMS
from ontogeny.ask.laws.tuned import tuned
from ontogeny.isa.errors import LawError

SAMPLES = 500
FAR = 10.0
ENDLESS, SHOWN = 1e300, 6
NO_FLOOR, UNSEEN = 1e-6, 1e-2
DRAWS = 20
ENDS = (2.5, 97.5)
PER = 6.0
"""Operations for a parameter and a token: forward 2, backward 4 (Kaplan et al. 2020)."""
DECADES, STEPS = 4.0, 1201


@dataclass(frozen=True, slots=True)
class Interval:
    """A value, and where 95 of 100 samples of the points put it; the ends are NaN where there are no samples."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a run of this size would reach: the law's value, and where a single run may fall.

    `beyond` is by what factor it lies outside the runs that the law was fitted to, 1 within.
    """

    parameters: float
    tokens: float
    unique: float
    loss: Interval
    run: Interval
    beyond: float


@dataclass(frozen=True, slots=True)
class Optimal:
    """The best use of a budget of operations: parameters, tokens and epochs, and the loss that they reach."""

    budget: float
    parameters: Interval
    tokens: Interval
    epochs: Interval
    loss: Interval
    beyond: float


@dataclass(frozen=True, eq=False)
class Law:
    """A form with its numbers, those of samples of the points f64[B, P], and how the fit went.

    `largest` says of a law without points how many parameters and tokens the runs had that it was fitted to.
    """

    form: Form
    kept: Floats
    samples: Floats
    points: Points | None = None
    value: float = float("nan")
    same: tuple[int, int] = (0, 0)
    failed: int = 0
    source: str = ""
    largest: Mapping[str, float] = field(default_factory=dict)

    def numbers(self) -> dict[str, Interval]:
        """The form's numbers by name; a floor that the fit took down without end is 0."""
        least = 0.0 if self.points is None else NO_FLOOR * float(self.points.loss.min())
        found = {}
        for place, number in enumerate(self.form.numbers):
            both = number.shown(np.concatenate([self.kept[None, place], self.samples[:, place]]))
            both = np.where((place == 0) & (both < least), 0.0, both)
            found[number.name] = _interval(both[0], both[1:])
        return found

    def remarks(self) -> list[str]:
        """What a reader of the law has to know besides, in sentences."""
        found = []
        floor, least = next(iter(self.numbers().values())), math.inf if self.points is None else self.points.loss.min()
        if self.points is not None and floor.low < UNSEEN * least:
            found.append(
                "these runs show no floor: the law is as good without one, so far beyond them it foretells too little"
            )
        return found

    def residuals(self) -> Floats:
        """Log loss of each point less the law's, f64[n]; none where the law was fitted elsewhere."""
        if self.points is None:
            return np.zeros(0)
        found: Floats = self.points.log("loss") - log_loss(self.form, self.kept[None], self.points)[0]
        return found

    def scatter(self) -> Floats:
        """How runs fall about the law, in log loss: the residuals, wider by what P numbers took up of n points."""
        errors = self.residuals()
        free = len(errors) - len(self.kept)
        return errors * math.sqrt(len(errors) / free) if free > 0 else errors

    def far_off(self) -> list[tuple[str, float]]:
        """The points farther off than ten times the middle one: name, and by what share it is above the law."""
        errors = self.residuals()
        if self.points is None or not (np.abs(errors) > 0).any():
            return []
        far = np.flatnonzero(np.abs(errors) > FAR * max(float(np.median(np.abs(errors))), DELTA))
        far = far[np.argsort(-np.abs(errors[far]))]
        return [(self.points.called(int(place)), float(np.expm1(errors[place]))) for place in far]

    def losses(self, at: Points) -> tuple[Floats, Floats]:
        """What it foretells for some points, f64[n], and by each sample f64[B, n]."""
        both = np.exp(log_loss(self.form, np.concatenate([self.kept[None], self.samples]), at))
        return both[0], both[1:]

    def predict(self, parameters: float, tokens: float, unique: float | None = None) -> Prediction:
        """The loss of a run of so many parameters on so many tokens, all of them distinct unless `unique` says less.

        LawError for what the form says nothing of: a law of sizes on other data, repeated data by Chinchilla's.
        """
        at = points(parameters, tokens, unique=tokens if unique is None else unique)
        check_asked(self.form, self.points, at)
        mid, drawn = self.losses(at)
        scattered = np.outer(np.exp(self.scatter()), drawn[:, 0]).ravel()
        beyond = self.beyond(at)
        sizes = float(at.parameters[0]), float(at.tokens[0]), float(at.unique[0])
        return Prediction(*sizes, _interval(mid[0], drawn[:, 0]), _interval(mid[0], scattered), beyond)

    def asymptotes(self) -> list[Prediction]:
        """The best that parameters without end would reach, on each amount of data of the runs, or on some of many."""
        if self.points is None or "parameters" not in self.form.axes:
            return []
        axis = "tokens" if "tokens" in self.form.axes else "unique"
        level = groups(getattr(self.points, axis))
        some = np.unique(np.linspace(0, level.max(), SHOWN).round()).astype(np.int64)
        chosen = [np.flatnonzero(level == one) for one in some]
        data = [(float(self.points.tokens[of].mean()), float(self.points.unique[of].mean())) for of in chosen]
        return [self.predict(ENDLESS, *one) for one in data]

    def beyond(self, at: Points) -> float:
        """The largest factor by which a point lies outside the range of the law's own points, over its axes."""
        if self.points is None:
            factors = [float(getattr(at, axis)[0]) / most for axis, most in self.largest.items()]
            return max(1.0, *factors) if factors else float("nan")
        factors = [1.0]
        for axis in self.form.axes:
            (low, high), value = self.points.range(axis), float(getattr(at, axis)[0])
            factors += [value / high, low / value]
        return max(factors)

    def optimal(self, budget: float, unique: float | None = None, per: float = PER) -> Optimal:
        """Parameters and tokens that reach the least loss for `budget` operations, `per` for a parameter and token.

        With no more than `unique` distinct tokens, the rest are repeated. LawError for a form that does not tell what
        parameters and tokens are worth against each other.
        """
        if not {"parameters", "tokens"} <= set(self.form.axes):
            raise LawError(
                f"{self.form.name} does not say what parameters are worth against tokens; chinchilla and repetition do"
            )
        if not (np.isfinite(budget) and budget > per and per > 0 and (unique is None or unique > 0)):
            raise LawError(f"a budget of {budget:g} operations at {per:g} each is none; give a number such as 1e18")
        if unique is not None and self.form.name == "chinchilla":
            raise LawError(
                "chinchilla takes every token as new, so it cannot share out a bounded number; repetition does"
            )
        pairs = budget / per
        middle = self._best_size(pairs, unique, np.linspace(0, np.log10(pairs), STEPS))[0]
        around = np.clip(np.log10(middle) + np.linspace(-DECADES, DECADES, STEPS), 0, np.log10(pairs))
        sizes = self._best_size(pairs, unique, np.unique(around))
        tokens = pairs / sizes
        distinct = tokens if unique is None else np.minimum(tokens, unique)
        at = points(sizes, tokens, unique=distinct)
        mid, drawn = self.losses(at)
        own = np.diagonal(drawn[:, 1:])
        size, seen, epochs = (_interval(one[0], one[1:]) for one in (sizes, tokens, tokens / distinct))
        return Optimal(budget, size, seen, epochs, _interval(mid[0], own), self.beyond(at))

    def _best_size(self, pairs: float, unique: float | None, exponents: Floats) -> Floats:
        """Of the law and each sample, the size of least loss: a parabola through a grid's best and its neighbours."""
        sizes = 10.0**exponents
        tokens = pairs / sizes
        mid, drawn = self.losses(points(sizes, tokens, unique=tokens if unique is None else np.minimum(tokens, unique)))
        losses = np.concatenate([mid[None], drawn])
        best = np.clip(losses.argmin(axis=1), 1, len(sizes) - 2)
        rows = np.arange(len(losses))
        left, here, right = (losses[rows, best + shift] for shift in (-1, 0, 1))
        curve = left - 2 * here + right
        shift = np.where(curve > 0, 0.5 * (left - right) / np.where(curve > 0, curve, 1), 0.0)
        found: Floats = 10.0 ** (exponents[best] + np.clip(shift, -1, 1) * (exponents[best] - exponents[best - 1]))
        return found

    def as_json(self) -> dict[str, Any]:
        """The law in plain values."""
        errors = self.residuals()
        fit = {
            "points": len(errors),
            "huber": self.value,
            "typical_error": float(np.sqrt(np.mean(errors**2))) if len(errors) else None,
            "starts_at_the_same_minimum": list(self.same),
            "samples": len(self.samples),
            "failed_samples": self.failed,
            "far_off": dict(self.far_off()),
            "remarks": self.remarks(),
        }
        about = {"form": self.form.name, "formula": self.form.formula, "source": self.source or self.form.source}
        return {**about, "numbers": {n: asdict(one) for n, one in self.numbers().items()}, **fit}


def fitted(given: Points, form: str = "", samples: int = SAMPLES, seed: int = 0, check: bool = True) -> Law:
    """The law of a form, or of the richest form that the points support, fitted to them.

    LawError, in words that say which runs to add, where they do not support it. Without `check` whatever is fitted is
    given, known or not.
    """
    if not form:
        return best_supported(given, samples, seed)[0]
    if form not in FORMS:
        raise LawError(f"there is no form {form!r}; there are {', '.join(FORMS)}")
    chosen = FORMS[form]
    used = tuned(given, chosen.tuned_over)
    if check:
        check_points(chosen, given, used)
    kept, value, same = lowest(chosen, used)
    drawn, arrived = resampled(chosen, used, kept, samples, seed)
    failed = samples - int(arrived.sum())
    if check:
        check_fit(chosen, used, kept, drawn, failed / samples)
    return Law(chosen, kept, drawn[arrived], used, value, same, failed)


def best_supported(given: Points, samples: int = SAMPLES, seed: int = 0) -> tuple[Law, dict[str, str]]:
    """The richest law that the points support, and why those before it are not. LawError where none is."""
    refused: dict[str, str] = {}
    for name in FORMS:
        try:
            return fitted(given, name, samples, seed), refused
        except LawError as error:
            refused[name] = str(error)
    raise LawError("no law can be fitted to these runs:\n" + "\n".join(f"- {why}" for why in refused.values()))


def resampled(form: Form, used: Points, kept: Floats, samples: int, seed: int) -> tuple[Floats, Bools]:
    """The form fitted to samples of the points, f64[B, P], and in which the descent came to an end, bool[B].

    Samples are drawn with replacement; one of no more different points than the form has numbers would determine
    nothing, so it is drawn again. Which runs won where weight decay was tuned is not drawn again.
    """
    weights = _drawn(len(used), len(kept), samples, np.random.default_rng(seed))
    found = descend(Task(form, used, weights), np.repeat(kept[None], len(weights), axis=0))
    finite = np.isfinite(found.kept).all(axis=1)
    return found.kept[finite], found.arrived[finite]


def _drawn(count: int, numbers: int, samples: int, chance: np.random.Generator) -> Floats:
    """How often each point is drawn, f64[samples, count]; fewer rows where hardly any sample would do."""
    found = np.zeros((0, count), np.int64)
    for _ in range(DRAWS):
        drawn = chance.multinomial(count, np.full(count, 1 / count), size=samples)
        found = np.concatenate([found, drawn[(drawn > 0).sum(axis=1) > numbers]])[:samples]
        if len(found) == samples:
            break
    return found.astype(np.float64)


def _interval(value: float, drawn: Floats) -> Interval:
    if not len(drawn):
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.percentile(drawn, ENDS)
    return Interval(float(value), float(low), float(high))
