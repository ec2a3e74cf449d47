"""One moment of every element against another, as densities: of all elements together, and tensor by tensor.

All panels have the same axes, so that they can be compared. An axis is logarithmic where the values span much, in both
directions from zero where they have both signs. What stands far off, in its own tensor, keeps its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.ask.scale import LOG, MOST_DECADES, SYMMETRIC, Scale
from ontogeny.isa.errors import RecordError
from ontogeny.record.moments import NAMES, Moments, Over, TensorMoments
from ontogeny.record.trace.layout import Tensor
from ontogeny.record.trace.traces import shown

Floats = npt.NDArray[np.float64]
ALL_NAME = "all"
WIDE = 10.0
"""An axis is logarithmic where its largest size is so many times the least, or with both signs the median one."""
MARGIN = 0.04
FAR = 4.0
"""Normal standard deviations from the middle of its tensor, along the axes as drawn, from which an element is named."""
NORMAL_QUARTILES = 1.349


@dataclass(frozen=True, slots=True)
class Axis:
    """A moment along an axis from `low` to `high`."""

    moment: str
    scale: Scale
    low: float
    high: float

    @property
    def ends(self) -> tuple[float, float]:
        """Where the axis begins and ends, by its scale."""
        first, last = self.scale.forward([self.low, self.high])
        return float(first), float(last)


@dataclass(frozen=True, slots=True)
class Point:
    """A named element: its two moments, and how far it lies from the middle of its tensor, in standard deviations."""

    element: str
    x: float
    y: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Panel:
    """Elements counted by cells, `counts` [up, across], the lowest first; `missing` of them have no such moments."""

    name: str
    elements: int
    missing: int
    counts: npt.NDArray[np.float32]
    far: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Scatter:
    """Panels with the same axes: all elements, then the largest tensors in the model's order; `others` have none."""

    over: Over
    observations: int
    x: Axis
    y: Axis
    panels: tuple[Panel, ...]
    others: int


def pair(text: str) -> tuple[str, str]:
    """Two moments as a person says them, `variance:kurtosis`. Raises RecordError for anything else."""
    across, _, up = text.partition(":")
    if across not in NAMES or up not in NAMES or across == up:
        raise RecordError(f"{text!r} is no pair of moments; write two of {', '.join(NAMES)}: variance:kurtosis")
    return across, up


def scatter(
    found: Sequence[TensorMoments],
    across: str,
    up: str,
    over: Over = "updates",
    *,
    cells: tuple[int, int] = (90, 60),
    most: int = 12,
    named: int = 6,
) -> Scatter:
    """Moment `up` against `across`, in so many cells (columns, rows); at most `most` panels, `named` names in each.

    Raises RecordError where no element has both moments.
    """
    points = [_columns(item.of(over), across, up) for item in found]
    every = np.concatenate([point[np.isfinite(point).all(1)] for point in points]) if points else np.zeros((0, 2))
    if not len(every):
        raise RecordError(f"no element has both {across} and {up}; choose a longer window, or others of {NAMES}")
    x, y = axis(across, every[:, 0]), axis(up, every[:, 1])
    far = [_far(item.tensor, point, x, y, named) for item, point in zip(found, points, strict=True)]
    alone = len(found) == 1
    largest = sorted(range(len(found)), key=lambda place: -len(points[place]))[: most if alone else most - 1]
    panels = [] if alone else [_panel(ALL_NAME, np.concatenate(points), x, y, cells, _farthest(far, named))]
    panels += [_panel(found[place].tensor.name, points[place], x, y, cells, far[place]) for place in sorted(largest)]
    return Scatter(over, found[0].of(over).count, x, y, tuple(panels), len(found) - len(largest))


def axis(moment: str, values: Floats) -> Axis:
    """The axis on which finite values are laid, a little longer than they need."""
    low, high = float(values.min()), float(values.max())
    scale = _scale(values, low, high)
    first, last = (float(one) for one in scale.forward([low, high]))
    margin = MARGIN * (last - first) or 0.5
    low, high = (float(one) for one in scale.inverse([first - margin, last + margin]))
    return Axis(moment, scale, low, high)


def _scale(values: Floats, low: float, high: float) -> Scale:
    if low > 0:
        return Scale(LOG) if high > WIDE * low else Scale()
    sizes = np.abs(values[values != 0])
    usual = float(np.median(sizes)) if len(sizes) else 0.0
    if max(-low, high) <= WIDE * usual or not usual:
        return Scale()
    unit = max(usual, max(-low, high) * 10.0**-MOST_DECADES)
    return Scale(SYMMETRIC, float(10.0 ** np.floor(np.log10(unit))))


def _columns(found: Moments, across: str, up: str) -> Floats:
    return found.vector()[:, [NAMES.index(across), NAMES.index(up)]]


def _laid(points: Floats, x: Axis, y: Axis) -> Floats:
    """Where points lie along the axes [points, 2]; NaN where one of the two is not there."""
    laid = np.stack([x.scale.forward(points[:, 0]), y.scale.forward(points[:, 1])], axis=1)
    laid[~np.isfinite(points).all(1)] = np.nan
    return laid


def _far(tensor: Tensor, points: Floats, x: Axis, y: Axis, count: int) -> tuple[Point, ...]:
    """The elements that lie farthest from the middle of their tensor, by median and quartiles of each axis."""
    laid = _laid(points, x, y)
    there = laid[np.isfinite(laid[:, 0])]
    if len(there) < 8:
        return ()
    quarter, middle, other = np.quantile(there, [0.25, 0.5, 0.75], axis=0)
    spread = np.maximum((other - quarter) / NORMAL_QUARTILES, np.finfo(np.float64).tiny)
    distance = np.nan_to_num(np.hypot(*((laid - middle) / spread).T), nan=0.0)
    places = np.argsort(-distance)[:count]
    return tuple(
        Point(shown(tensor, int(place)), float(points[place, 0]), float(points[place, 1]), float(distance[place]))
        for place in places
        if distance[place] > FAR
    )


def _farthest(far: Sequence[tuple[Point, ...]], count: int) -> tuple[Point, ...]:
    return tuple(sorted((point for points in far for point in points), key=lambda point: -point.deviation)[:count])


def _panel(name: str, points: Floats, x: Axis, y: Axis, cells: tuple[int, int], far: tuple[Point, ...]) -> Panel:
    laid = _laid(points, x, y)
    there = laid[np.isfinite(laid[:, 0])]
    counts, _, _ = np.histogram2d(there[:, 1], there[:, 0], bins=(cells[1], cells[0]), range=(y.ends, x.ends))
    return Panel(name, len(points), len(points) - len(there), counts.astype(np.float32), far)
