"""Which parameters are distributed like one: the nearest by all moments of their values and updates over a window.

An element's place is the vector of the mean, variance, skewness and excess kurtosis of its values, and of its updates.
Each of the eight is measured in units of its spread over all elements: less its median, over its interquartile range;
variances, which differ by orders of magnitude, by their logarithm. A moment that is the same for all says nothing and
is left out. The distance is Euclid's. Every element is compared, so the nearest are the nearest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.index_cache import traces_of
from ontogeny.ask.moments import moments
from ontogeny.isa.errors import RecordError
from ontogeny.record.moments import NAMES
from ontogeny.record.trace.traces import ALL, Window, element, shown

MOMENTS = tuple(f"{name} of {over}" for over in ("values", "updates") for name in NAMES)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Near:
    """An element, how far it is from the query, and its moments in the order of `MOMENTS`."""

    shown: str
    distance: float
    moments: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NearByMoments:
    """The nearest elements; `compared` of all `elements` have all moments, the others do not vary or are not finite."""

    query: str
    moments: tuple[float, ...]
    nearest: tuple[Near, ...]
    elements: int
    compared: int


def alike_by_moments(source: Any, query: str, top: int = 20, *, window: Window = ALL) -> NearByMoments:
    """The `top` elements nearest to `query` (`embed.weight[3,7]`) by their moments; ties go to the lower number.

    `source` is a run or its trajectories. Raises RecordError for a query that has no moments, and for unknown names.
    """
    traces = traces_of(source)
    name, place = element(traces, query)
    called = shown(traces.tensors[name], place)
    if top < 1:
        raise RecordError(f"the nearest {top} were asked for; give 1 or more")
    found = moments(traces, window)
    starts = np.cumsum([0, *(item.tensor.size for item in found)])
    table = np.concatenate([np.hstack([item.values.vector(), item.updates.vector()]) for item in found])
    own = int(starts[[item.tensor.name for item in found].index(name)]) + place
    if not np.isfinite(table[own]).all():
        raise RecordError(f"{called} has no skewness over the window: it does not vary, or is not finite throughout")
    places, finite = _places(table)
    distances = np.full(len(table), np.inf)
    distances[finite] = np.sqrt(np.square(places[finite] - places[own]).sum(1))
    distances[own] = np.inf
    order = np.argsort(distances, kind="stable")[: min(top, int(finite.sum()) - 1)]
    owners = np.searchsorted(starts, order, "right") - 1
    nearest = tuple(
        Near(shown(found[o].tensor, int(n - starts[o])), float(distances[n]), tuple(table[n].tolist()))
        for n, o in zip(order, owners, strict=True)
    )
    return NearByMoments(called, tuple(table[own].tolist()), nearest, len(table), int(finite.sum()))


def _places(table: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Where each element stands, in units of spread, and which stand anywhere."""
    places = table.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        for column, name in enumerate(2 * NAMES):
            places[:, column] = np.log(table[:, column]) if name == "variance" else table[:, column]
    finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(places).all(axis=1))
    low, middle, high = np.quantile(places[finite], (0.25, 0.5, 0.75), axis=0)
    spread = high - low
    return (places - middle) / np.where(spread > 0, spread, np.inf), finite
