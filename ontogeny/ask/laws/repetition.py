"""Data seen more than once: Muennighoff et al. 2023, Scaling data-constrained language models (arXiv 2305.16264).

Each repetition of a token is worth exponentially less than the one before, and so is each parameter beyond as many as
are optimal for the distinct tokens U. With R_D = D/U - 1 repetitions,

    D' = U + U R_D* (1 - exp(-R_D / R_D*)),    N' = U_N + U_N R_N* (1 - exp(-R_N / R_N*)),    R_N = N/U_N - 1

and the loss is Chinchilla's of N' and D'. U_N is where a further parameter is worth a further token,
alpha A / U_N^alpha = beta B / U^beta, and N itself where that is more. Not in it: a loss that rises again with epochs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ontogeny.ask.laws.forms import ALPHA, BETA, CHINCHILLA, FLOOR, REPEATS, A, B, Floats, Number
from ontogeny.ask.laws.points import Points

MUENNIGHOFF = "Muennighoff et al. 2023 (arXiv 2305.16264)"
EPOCHS = Number("R_D", REPEATS, "repetitions after which 63% of what repeating can give is had")
EXCESS = Number("R_N", REPEATS, "the same of parameters beyond those that the distinct data need")


def worth(repeats: Floats, scale: Floats) -> tuple[Floats, Floats, Floats]:
    """ln(1 + s(1 - exp(-r/s))): what r repetitions make of one, and its derivatives by r and by ln s."""
    decayed = np.exp(-repeats / scale)
    gained = -scale * np.expm1(-repeats / scale)
    return (
        np.log1p(gained),
        decayed / (1 + gained),
        (gained - repeats * decayed) / (1 + gained),
    )


@dataclass(frozen=True)
class Repetition:
    """The form with repeated data, and with `excess` also with parameters beyond what they need."""

    name: str
    formula: str
    numbers: tuple[Number, ...]
    excess: bool
    source: str = MUENNIGHOFF
    axes: tuple[str, ...] = ("parameters", "tokens", "unique")
    tuned_over: tuple[str, ...] = ("decay",)

    def terms(self, kept: Floats, points: Points) -> Floats:
        """f64[B, 3, n]"""
        floor, a, alpha, b, beta = (kept[:, place, None] for place in range(5))
        sizes, data = self._sizes(kept, points)[0], self._data(kept, points)[0]
        return np.stack(np.broadcast_arrays(floor, a - alpha * sizes, b - beta * data), axis=1)

    def slopes(self, kept: Floats, points: Points) -> Floats:
        """f64[B, 3, n, P]"""
        alpha, beta = kept[:, 2, None], kept[:, 4, None]
        sizes, by = self._sizes(kept, points)
        data, by_repeats = self._data(kept, points)
        found = np.zeros((len(kept), 3, len(points), len(self.numbers)))
        found[:, 0, :, 0] = 1
        found[:, 1, :, 1], found[:, 1, :, 2] = 1, -sizes
        for place, slope in by.items():
            found[:, 1, :, place] -= alpha * slope
        found[:, 2, :, 3], found[:, 2, :, 4], found[:, 2, :, 5] = 1, -data, -beta * by_repeats
        return found

    def scales(self, points: Points) -> Floats:
        """As Chinchilla's; the repeats stand for themselves."""
        found = np.eye(len(self.numbers))
        found[:5, :5] = CHINCHILLA.scales(points)
        return found

    def _data(self, kept: Floats, points: Points) -> tuple[Floats, Floats]:
        """ln D', and its derivative by ln R_D*."""
        repeats = np.maximum(points.tokens / points.unique - 1, 0)[None]
        gained, _, by_scale = worth(repeats, _scale(kept[:, 5, None]))
        return points.log("unique") + gained, by_scale

    def _sizes(self, kept: Floats, points: Points) -> tuple[Floats, dict[int, Floats]]:
        """ln N', and its derivatives by the numbers that it depends on, by their places."""
        whole = points.log("parameters")[None]
        if not self.excess:
            return whole, {}
        a, alpha, b, beta = (kept[:, place, None] for place in range(1, 5))
        data = points.log("unique")
        with np.errstate(invalid="ignore", divide="ignore"):
            needed = (np.log(alpha) + a - np.log(beta) - b + beta * data) / alpha
        beyond = np.clip(whole - needed, 0, 300)
        gained, by_repeats, by_scale = worth(np.expm1(beyond), _scale(kept[:, 6, None]))
        by_needed = np.where(beyond > 0, 1 - by_repeats * np.exp(beyond), 0.0)
        by = {
            1: by_needed / alpha,
            2: by_needed * (1 / alpha - needed) / alpha,
            3: -by_needed / alpha,
            4: by_needed * (data - 1 / beta) / alpha,
            6: by_scale,
        }
        return np.minimum(needed, whole) + gained, by


def _scale(kept: Floats) -> Floats:
    return np.exp(np.clip(kept, -30, 30))


REPETITION = Repetition(
    "repetition", "L = E + A/N^alpha + B/D'^beta, D' = U + U*R_D*(1 - exp(-(D/U - 1)/R_D))",
    (FLOOR, A, ALPHA, B, BETA, EPOCHS), excess=False,
)  # fmt: skip
EXCESSIVE = Repetition(
    "excess", "L = E + A/N'^alpha + B/D'^beta, both with repetitions that are worth less and less",
    (FLOOR, A, ALPHA, B, BETA, EPOCHS, EXCESS), excess=True,
)  # fmt: skip
