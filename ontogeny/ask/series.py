"""The chart of one parameter as a series of numbers, and Pearson's correlation of two of them, in f64.

Everything that is computed here goes row by row through time, so that the result for an element does not depend, not
even in its last bit, on which others stand beside it: two ways to the same element agree exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.traces import ALL, Array, Steps, Traces, Window

UPDATES, VALUES = "updates", "values"
SHORTEST = 3
"""Two points always lie on a line; a shape takes three."""
FLAT = 1e-20
"""A series that has less than this share of its energy left when modes are taken out has no shape left but rounding."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """Which numbers make a series: updates or values, at `steps`; `states` is the window of states they are read from.

    The update at a recorded step is the value there less the value at the recorded step before it.
    """

    over: str
    steps: Steps
    states: Window

    @property
    def length(self) -> int:
        """Points of a series."""
        return len(self.steps)

    @property
    def rows(self) -> int:
        """States that a series is read from."""
        return self.length + (self.over == UPDATES)

    def series(self, values: Array) -> Floats:
        """The series of elements from their values [states, elements]: f64 [length, elements]."""
        found = np.asarray(values).astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            return found[1:] - found[:-1] if self.over == UPDATES else found


def span(traces: Traces, over: str = UPDATES, window: Window = ALL) -> Span:
    """The series that a window of recorded steps holds. Raises RecordError where it is too short for a shape."""
    if over not in (UPDATES, VALUES):
        raise RecordError(f"{over!r} is not what a chart is over; choose {UPDATES} or {VALUES}")
    steps = np.asarray(traces.steps)
    rows = window.of(steps)
    first = max(rows.start, 1) if over == UPDATES else rows.start
    if rows.stop - first < SHORTEST:
        have = f"{steps[0]} to {steps[-1]}" if len(steps) else "none"
        raise RecordError(
            f"the window {window} holds {max(0, rows.stop - first)} {over}; a shape takes {SHORTEST} or more "
            f"(recorded steps: {have})"
        )
    begin = int(steps[first - 1 if over == UPDATES else first])
    return Span(over, steps[first : rows.stop], Window(begin, int(steps[rows.stop - 1]) + 1))


def total(rows: Iterable[Floats]) -> Floats:
    """The sum over time, one step after another."""
    steps = iter(rows)
    found = next(steps).copy()
    for row in steps:
        found += row
    return found


@dataclass(frozen=True, slots=True)
class Centred:
    """Series [length, n] less their means, as `values`, each times a `factor`, a power of two: no square overflows.

    `means` are what was taken off, at the size of the series. `constant` series, and those that are `unsound`, not
    finite throughout, have no shape: 0. Their means are their first values.
    """

    values: Floats
    means: Floats
    factors: Floats
    constant: npt.NDArray[np.bool_]
    unsound: npt.NDArray[np.bool_]


def centred(series: Floats) -> Centred:
    """Series [length, n] without their means."""
    low, high = series.min(0), series.max(0)
    unsound = ~(np.isfinite(low) & np.isfinite(high))
    constant = ~unsound & (low == high)
    bare = constant | unsound
    size = np.where(bare, 1.0, np.maximum(np.abs(low), np.abs(high)))
    factors = np.ldexp(1.0, -np.maximum(np.frexp(size)[1], -1000))
    scaled = series * np.where(bare, 0.0, factors) if not unsound.any() else np.where(bare, 0.0, series) * factors
    means = total(scaled) / len(scaled)
    scaled -= means
    return Centred(scaled, np.where(bare, series[0], means / factors), factors, constant, unsound)


def shapes(series: Floats) -> tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Centred series [length, n], up to a power of two each; which of them are constant, and which are not finite."""
    found = centred(series)
    return found.values, found.constant, found.unsound


def without(centred: Floats, modes: Floats) -> Floats:
    """Centred series [length, n] with modes (orthonormal columns [length, m]) projected out; 0 if nothing is left."""
    found = centred.copy()
    for mode in modes.T:
        held = total(row * weight for row, weight in zip(centred, mode, strict=True))
        for row, weight in zip(found, mode, strict=True):
            row -= weight * held
    found[:, total(found * found) <= FLAT * total(centred * centred)] = 0.0
    return found


def pearson(centred: Floats, query: Floats) -> Floats:
    """The correlation of centred series [length, n] with one [length]; NaN where either has no shape."""
    products = total(row * value for row, value in zip(centred, query, strict=True))
    squares = total(row * row for row in centred)
    own = total(value * value for value in query.reshape(-1, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(products / np.sqrt(squares * own), -1.0, 1.0)


def lags(furthest: int) -> list[int]:
    """0, 1, -1, 2, -2... : the nearest first, so that among equals it is the one that is kept."""
    return [0, *(sign * lag for lag in range(1, furthest + 1) for sign in (1, -1))]


def overlapping(length: int, lag: int) -> tuple[slice, slice]:
    """Which parts of an element's and the query's series meet: point s + lag of the one with point s of the other."""
    return slice(max(0, lag), min(length, length + lag)), slice(max(0, -lag), min(length, length - lag))


def best(
    centred: Floats,
    query: Floats,
    tried: Sequence[int],
    either_sign: bool,
    able: npt.NDArray[np.bool_] | None = None,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The best correlation over lags, and its lag, for each element: NaN where there is no shape at any.

    At a lag, the parts that meet are centred anew. With `either_sign` the best is the one of largest magnitude.
    `able` says which of the lags [lags, n] can be an element's best, where that is known; the others are not tried.
    """
    scores = np.full(centred.shape[1], np.nan)
    which = np.zeros(centred.shape[1], np.int64)
    for number, lag in enumerate(tried):
        of = slice(None) if able is None or able[number].all() else np.flatnonzero(able[number])
        mine, theirs = overlapping(len(centred), lag)
        part = centred[:, of] if lag == 0 else _anew(centred[mine, of])
        found = pearson(part, query if lag == 0 else _anew(query[theirs, None])[:, 0])
        with np.errstate(invalid="ignore"):
            known = scores[of]
            better = np.abs(found) > np.abs(known) if either_sign else found > known
            better |= np.isnan(known) & ~np.isnan(found)
        scores[of], which[of] = np.where(better, found, known), np.where(better, lag, which[of])
    return scores, which


def _anew(part: Floats) -> Floats:
    return shapes(part)[0]
