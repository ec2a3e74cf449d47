"""What an index keeps of each series, besides its shape, so that further steps can be added without reading the old.

A series x is kept as numbers i with |x - anchor - step i| <= step (half of that while nothing was added), and as the
sum and the sum of squares of y = x - anchor. The anchor, its mean at first, and the step stay; so what is added changes
the mean m = sum / T and the norm N = sqrt(squares - sum m) of the whole, and with them its unit vector, but no number:

  u = (y - m) / N,   z = (step i - m) / N,   |u - z| <= sqrt(T) step / N.

Only where a new number is out of the reach of 16 bits is the step of that one series doubled, and its numbers halved:
|y - step i| <= step still holds. N never shrinks and never comes near what y is off the anchor, for T of T' steps
N^2 >= squares T' / (T + T'), so that sums and squares of y lose little: a relative 2 T 2^-53 squares / N^2.

The series itself is centred in f64 by `series.centred`, whose mean is off by at most (T + 1) 2^-53 of its largest
number; how far that can move a correlation is part of what `Worst` adds up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.ask.series import Centred, Floats, total

UNIT = 2.0**-15
"""What one step of a number is worth in a unit vector, where no steps were added."""
EPS32 = 2.0**-24
EPS64 = 2.0**-53
ANCHOR, SUM, SQUARES, STEP = range(4)
"""The columns of what is kept of each series."""
SANE = 1e-140, 1e140
"""Norms whose squares are far from what f64 cannot hold."""
COARSEST = 8
"""An index that is further off than so many steps of 2^-15 in each number is made anew, rather than added to."""
LARGEST = 32767
Numbers = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]
SHAPED, CONSTANT, NOT_FINITE, MISSING = 1, 2, 3, 0
"""Kinds of elements: those without a shape may get one by further steps if they were constant; the others never."""


def rounded_away(length: int) -> float:
    """How far a vector can lie from its series' unit vector at first. One number near 1 may be cut by a step."""
    return (0.5 * math.sqrt(length) + 0.5) * UNIT * (1 + 1e-9)


def at_once(length: int) -> int:
    """How many series are worked on at a time: so many that a cache holds them, and no page has to be made for them."""
    return max(64, (1 << 17) // length)


class CannotBeAdded(Exception):
    """Further steps cannot be added to an index; it is made anew."""


@dataclass
class Worst:
    """The largest over all series, of one length: `coarse` step / N, `reach` |y| / N, `off` the anchor's size / N."""

    coarse: float = 0.0
    reach: float = 1.0
    off: float = 0.0

    def meet(self, lanes: Floats, length: int) -> None:
        """Takes some series in. Raises CannotBeAdded where squares went beyond f64."""
        size = norms(lanes, length)
        if not np.all((size > SANE[0]) & (size < SANE[1])):
            raise CannotBeAdded(f"norms of {length} numbers lie outside of {SANE[0]:g} to {SANE[1]:g}")
        if len(size):
            self.coarse = max(self.coarse, float((lanes[:, STEP] / size).max()))
            self.reach = max(self.reach, float((np.sqrt(lanes[:, SQUARES]) / size).max()))
            self.off = max(self.off, float((np.abs(lanes[:, ANCHOR]) / size).max()))

    def away(self, length: int) -> float:
        """How far a vector in f32 can lie from its series' unit vector, and what an uncentred rest can add."""
        uncentred = 2 * length * math.sqrt(length) * EPS64 * (self.off + self.reach)
        sums = 4 * length * EPS64 * self.reach**2
        found = math.sqrt(length) * self.coarse * (1 + 1e-9) + 4 * EPS32 * self.reach * (1 + 1e-6) + uncentred + sums
        if found > COARSEST * rounded_away(length):
            raise CannotBeAdded(f"vectors would be known within {found:.2g} only")
        return found


def first(found: Centred, squares: Floats) -> Floats:
    """What is kept of centred series, given their sums of squares: [n, 4]."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        sums, size = total(found.values) / found.factors, np.sqrt(squares)
        kept = [found.means, sums, np.square(size / found.factors), size / found.factors * UNIT]
        return np.stack(kept, axis=1)


def norms(lanes: Floats, length: int) -> Floats:
    """N of each series."""
    with np.errstate(invalid="ignore", over="ignore"):
        found: Floats = np.sqrt(lanes[:, SQUARES] - lanes[:, SUM] ** 2 / length)
        return found


def added(old: Numbers, lanes: Floats, series: Floats) -> tuple[Numbers, Floats, Flags, Flags]:
    """Series [n, length] and what is kept of them with further numbers [steps, n]; also which are finite, which move.

    A series that has not moved yet has zeros, and no step.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        off = series - lanes[:, ANCHOR]
        finite = np.isfinite(series.min(0)) & np.isfinite(series.max(0))
        off[:, ~finite] = 0.0
        kept = lanes.copy()
        kept[:, SUM] += total(off)
        kept[:, SQUARES] += total(off * off)
    furthest = np.abs(off).max(0)
    moving = (kept[:, STEP] > 0) | (furthest > 0)
    halvings = _stepped(kept, furthest, old.shape[1] + len(series), moving)
    halved = np.flatnonzero(halvings)
    numbers = np.zeros((len(kept), old.shape[1] + len(series)), np.int16)
    numbers[:, : old.shape[1]] = old
    numbers[halved, : old.shape[1]] = np.rint(np.ldexp(old[halved].astype(np.float64), -halvings[halved, None]))
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = np.where(moving, kept[:, STEP], 1.0)
        numbers[:, old.shape[1] :] = np.clip(np.rint(off / steps), -LARGEST, LARGEST).T
    return numbers, kept, finite, moving


def _stepped(kept: Floats, furthest: Floats, length: int, moving: Flags) -> npt.NDArray[np.int64]:
    """Gives a step to those that have none yet, and doubles those that are too small: how often."""
    begun = moving & (kept[:, STEP] == 0)
    size = norms(kept[begun], length)
    if not np.all(size > SANE[0]):
        raise CannotBeAdded("norms of series that begin to move are too small")
    kept[begun, STEP] = np.maximum(size * UNIT, furthest[begun] / LARGEST)
    ratio = np.where(moving, furthest, 0.0) / (LARGEST * np.where(moving, kept[:, STEP], 1.0))
    if not np.isfinite(ratio).all():
        raise CannotBeAdded("numbers lie beyond what f64 can hold the squares of")
    halvings = np.where(ratio > 1.0, np.frexp(ratio)[1], 0).astype(np.int64)
    kept[:, STEP] = np.ldexp(kept[:, STEP], halvings)
    return halvings


def vectors(numbers: Numbers, lanes: Floats | None) -> npt.NDArray[np.float32]:
    """The vectors z [n, length] of series; `lanes` where steps were added, else all steps are 2^-15, all means 0."""
    found = numbers.astype(np.float32)
    if lanes is None:
        found *= np.float32(UNIT)
        return found
    scale, mean = scaling(lanes, numbers.shape[1])
    found *= scale.astype(np.float32)[:, None]
    found -= mean.astype(np.float32)[:, None]
    return found


def scaling(lanes: Floats, length: int) -> tuple[Floats, Floats]:
    """step / N and m / N of each series."""
    size = norms(lanes, length)
    return lanes[:, STEP] / size, lanes[:, SUM] / length / size
