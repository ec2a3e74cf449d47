"""Bounds of the correlations of many series with a query over several lags, all lags by one product.

At a lag the parts of two series that meet are centred anew. Of the query's part that is done once; centred, at length
one and with zeros where it meets nothing, it is a vector w. Of an element's vector z only the part's norm is needed:

  |z_part - mean|^2 = |z|^2 - |z_cut|^2 - (sum z - sum z_cut)^2 / length of the part,

so that besides |z| and sum z, which all lags share, the few numbers that are cut off tell it. The correlation is z.w
over it. Which lags' bounds reach the best of the lower bounds is told too: no other can be the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.ask.series import Floats, overlapping, shapes
from ontogeny.ask.shape_lanes import EPS32

COMPUTED = np.float32(16 * EPS32)
"""What a bound, up to about 1, can lose while it is computed."""
Flags = npt.NDArray[np.bool_]
Short = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Lagged:
    """A query over lags: `weights` [length, lags], 0 where it has no shape; `away` is how far a vector can be off."""

    tried: Sequence[int]
    weights: Short
    away: float

    def able(self, vectors: Short, at_least: float, either_sign: bool) -> tuple[npt.NDArray[np.int64], Flags]:
        """Which vectors [n, length] may reach a threshold, and which lags [lags, reached] can be the best of each."""
        products = (vectors @ self.weights).T
        if either_sign:
            products = np.abs(products)
        off = np.float32(self.away + (len(self.weights) + 4) * EPS32 * 1.2)
        low, high = self._norms(vectors)
        above, below = products + off, products - off
        with np.errstate(divide="ignore", invalid="ignore"):
            upper = np.where(low > 0, above / np.where(above >= 0, low, high), np.float32(1.0)) + COMPUTED
            lower = np.where(low > 0, below / np.where(below >= 0, high, low), np.float32(-1.0)) - COMPUTED
        reached = np.flatnonzero(upper.max(0) >= at_least)
        return reached, (upper >= lower.max(0))[:, reached]

    def _norms(self, vectors: Short) -> tuple[Short, Short]:
        """Bounds of the norms of the parts that meet, [lags, n]: 0 where a part may be flat."""
        length, furthest = len(self.weights), max(map(abs, self.tried))
        whole, square = vectors @ np.ones(length, np.float32), np.einsum("nt,nt->n", vectors, vectors)
        ends = [np.ascontiguousarray(part[:, :furthest].T) for part in (vectors, vectors[:, ::-1])]
        sums, squares = ([np.cumsum(end**power, axis=0) for end in ends] for power in (1, 2))
        found = np.empty((len(self.tried), len(vectors)), np.float32)
        for number, lag in enumerate(self.tried):
            cut, at = int(lag < 0), abs(lag) - 1
            rest, left = (whole - sums[cut][at], square - squares[cut][at]) if lag else (whole, square)
            found[number] = left - rest * rest / np.float32(length - abs(lag))
        slack, off = np.float32(16 * (length + 8) * EPS32), np.float32(self.away * (1 + 1e-6))
        return np.maximum(0, np.sqrt(np.maximum(0, found - slack)) - off), np.sqrt(np.maximum(0, found) + slack) + off


def lagged(query: Floats, tried: Sequence[int], away: float) -> Lagged:
    """A query, a unit vector, over lags."""
    weights = np.zeros((len(query), len(tried)), np.float32)
    for number, lag in enumerate(tried):
        mine, theirs = overlapping(len(query), lag)
        other = shapes(query[theirs, None])[0][:, 0]
        size = float(np.linalg.norm(other))
        if size > 0:
            weights[mine, number] = other / size
    return Lagged(tried, weights, away)
