"""Whether one state is better than another beyond noise: a paired bootstrap over held-out examples.

The examples are drawn again with replacement 4,000 times, the same ones for both; better is what has the lower mean in
at least 97.5% of the draws. That is about these examples: what another seed would have given it does not say.
Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 16.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

DRAWS = 4000
SURE = 0.975
METHOD = f"paired bootstrap over held-out examples, {DRAWS} draws, better in at least {SURE:.1%} of them"
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Means of two states' scores (less is better; None: no number), and in which share of the draws the second is
    better; the means' gain lies between `low` and `high` in as many."""

    original: float | None
    found: float | None
    sure: float
    low: float | None
    high: float | None
    parts: int
    method: str = METHOD

    @property
    def better(self) -> bool:
        """Whether the second is better beyond noise."""
        return self.sure >= SURE

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {**asdict(self), "better": self.better}


def judged(original: Floats, found: Floats, seed: int = 0) -> Verdict:
    """The verdict over paired scores, f64[parts] each; a state with an infinite score is worse than any without."""
    if not np.isfinite(found).all() or not np.isfinite(original).all():
        sure = float(np.isfinite(found).all() and not np.isfinite(original).all())
        return Verdict(_mean(original), _mean(found), sure, None, None, len(found))
    gain = original - found
    drawn = np.random.default_rng(seed).integers(0, len(gain), (DRAWS, len(gain)))
    means = gain[drawn].mean(axis=1)
    low, high = (float(value) for value in np.quantile(means, (1 - SURE, SURE)))
    return Verdict(_mean(original), _mean(found), float((means > 0).mean()), low, high, len(gain))


def _mean(scores: Floats) -> float | None:
    return float(scores.mean()) if np.isfinite(scores).all() else None
