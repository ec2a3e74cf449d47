"""What a scaling law may look like: a loss as a sum of terms, each the exponential of something smooth.

A form gives the logarithms of its terms at some points and their derivatives by the form's own numbers, for many
candidates at once. The loss is the sum of the terms, its logarithm their log-sum-exp (Hoffmann et al. 2022, D.3), so
that every factor is positive whatever the numbers are. Factors are kept as logarithms; exponents as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ontogeny.ask.laws.points import Points

Floats = npt.NDArray[np.float64]
FACTOR, EXPONENT, SHIFT, REPEATS = "factor", "exponent", "shift", "repeats"
"""Kinds of numbers: a factor of a term, an exponent above 0, one of either sign, how many repetitions are worth it."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a form, its kind, and its meaning. Factors and repeats are kept as natural logarithms."""

    name: str
    kind: str
    meaning: str

    def shown(self, kept: Floats) -> Floats:
        """As a person reads it."""
        return kept if self.kind in (EXPONENT, SHIFT) else np.exp(np.clip(kept, -700, 700))


class Form(Protocol):
    """What fitting asks of a form. Shapes: B candidates, P numbers, T terms, n points."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def formula(self) -> str:
        """As a person writes it."""

    @property
    def source(self) -> str:
        """Where it comes from."""

    @property
    def numbers(self) -> tuple[Number, ...]:
        """Its P numbers; the first is the floor, the logarithm of E."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Which of `parameters`, `tokens` and `unique` it is a function of."""

    @property
    def tuned_over(self) -> tuple[str, ...]:
        """Of which columns it takes only the best: `decay`, or also `tokens`, so how many epochs."""

    def terms(self, kept: Floats, points: Points) -> Floats:
        """Logarithms of the terms, f64[B, T, n]."""

    def slopes(self, kept: Floats, points: Points) -> Floats:
        """Their derivatives by the numbers, f64[B, T, n, P], or f64[T, n, P] where they are the same for all."""

    def scales(self, points: Points) -> Floats:
        """f64[P, P] that makes numbers of others which hardly depend on each other: factors at the points' middle."""


def log_loss(form: Form, kept: Floats, points: Points) -> Floats:
    """The logarithm of the loss that a form foretells, f64[B, n]."""
    terms = form.terms(kept, points)
    highest = terms.max(axis=1)
    total: Floats = highest + np.log(np.exp(terms - highest[:, None]).sum(axis=1))
    return total


def log_loss_and_slopes(form: Form, kept: Floats, points: Points) -> tuple[Floats, Floats]:
    """The same, and its derivatives by the numbers, f64[B, n, P]."""
    terms, slopes = form.terms(kept, points), form.slopes(kept, points)
    highest = terms.max(axis=1)
    shares = np.exp(terms - highest[:, None])
    total = shares.sum(axis=1)
    shares /= total[:, None]
    by = "tnp" if slopes.ndim == 3 else "btnp"
    return highest + np.log(total), np.einsum(f"btn,{by}->bnp", shares, slopes)


@dataclass(frozen=True)
class PowerLaw:
    """A floor and terms that are products of powers: `powers` gives each number's term, and what it multiplies there.

    A number of axis "" is the factor of its term; of another it is the exponent of that axis, with a sign.
    """

    name: str
    formula: str
    source: str
    numbers: tuple[Number, ...]
    powers: tuple[tuple[int, str, int], ...]
    """Of each number: its term, its axis, and the sign of its exponent there."""
    tuned_over: tuple[str, ...] = ("decay",)

    @property
    def axes(self) -> tuple[str, ...]:
        """Which columns of the points it is a function of."""
        return tuple(dict.fromkeys(axis for _, axis, _ in self.powers if axis))

    def slopes(self, kept: Floats, points: Points) -> Floats:
        """f64[T, n, P]: the logarithms are linear in the numbers."""
        found = np.zeros((1 + max(term for term, _, _ in self.powers), len(points), len(self.powers)))
        for place, (term, axis, sign) in enumerate(self.powers):
            found[term, :, place] = sign * points.log(axis) if axis else 1.0
        return found

    def terms(self, kept: Floats, points: Points) -> Floats:
        """f64[B, T, n]"""
        found: Floats = np.einsum("bp,tnp->btn", kept, self.slopes(kept, points))
        return found

    def scales(self, points: Points) -> Floats:
        """A factor stands for its term where the points' middle is."""
        found = np.eye(len(self.powers))
        factors = {term: place for place, (term, axis, _) in enumerate(self.powers) if not axis}
        for place, (term, axis, sign) in enumerate(self.powers):
            if axis:
                found[factors[term], place] = -sign * float(points.log(axis).mean())
        return found


FLOOR = Number("E", FACTOR, "the loss that neither parameters nor data bring down")
A, ALPHA = (Number("A", FACTOR, "of the term of parameters"), Number("alpha", EXPONENT, "of parameters"))
B, BETA = Number("B", FACTOR, "of the term of data"), Number("beta", EXPONENT, "of data")
HOFFMANN = "Hoffmann et al. 2022, approach 3 (arXiv 2203.15556)"
KIM = "after Kim et al. 2025, Pre-training under infinite compute (arXiv 2509.14786)"

CHINCHILLA = PowerLaw(
    "chinchilla", "L = E + A/N^alpha + B/D^beta", HOFFMANN, (FLOOR, A, ALPHA, B, BETA),
    ((0, "", 1), (1, "", 1), (1, "parameters", -1), (2, "", 1), (2, "tokens", -1)),
)  # fmt: skip
SIZE = PowerLaw(
    "size", "L = E + A/N^alpha, the data being what it is", KIM,
    (Number("E", FACTOR, "the asymptote: the best for that data"), A, ALPHA),
    ((0, "", 1), (1, "", 1), (1, "parameters", -1)), ("decay", "tokens"),
)  # fmt: skip
DATA = PowerLaw(
    "data", "L = E + B/D^beta, the network being what it is", HOFFMANN,
    (Number("E", FACTOR, "the best for that network"), B, BETA),
    ((0, "", 1), (1, "", 1), (1, "tokens", -1)),
)  # fmt: skip
TUNED = PowerLaw(
    "tuned", "L = E + B/U^beta + A*U^gamma/N^alpha, at the best weight decay and epochs of each N and U", KIM,
    (FLOOR, B, Number("beta", EXPONENT, "of distinct data, in the asymptotes E + B/U^beta"), A, ALPHA,
     Number("gamma", SHIFT, "of distinct data, in how far a size is from its asymptote")),
    ((0, "", 1), (1, "", 1), (1, "unique", -1), (2, "", 1), (2, "parameters", -1), (2, "unique", 1)),
    ("decay", "tokens"),
)  # fmt: skip
