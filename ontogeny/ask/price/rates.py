"""Seconds of kinds at any size, from those measured at the points of their grids.

Between points they are interpolated, linearly in the logarithms of sizes and seconds; beyond a grid they go with the
work, as they do where a point was too large to be measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from math import prod

from ontogeny.ask.price.charges import Charge
from ontogeny.ask.price.kinds import KINDS, Kind, Point

Seconds = Mapping[str, Mapping[Point, float]]


class Rates:
    """What was measured, asked at any size."""

    def __init__(self, measured: Seconds) -> None:
        self._seconds = {name: filled(KINDS[name], found) if name in KINDS else dict(found)
                         for name, found in measured.items()}  # fmt: skip

    def of(self, charge: Charge) -> float:
        """Seconds of a charge."""
        known = self._seconds[charge.kind]
        if not charge.point:
            return known[()] * charge.times
        kind = KINDS[charge.kind]
        inside = tuple(min(max(size, axis[0]), axis[-1]) for size, axis in zip(charge.point, kind.axes, strict=True))
        beyond = kind.work(*charge.point) / max(kind.work(*inside), 1)
        beyond = beyond if kind.proportional else max(1.0, beyond)
        corners = [_between(axis, size) for axis, size in zip(kind.axes, inside, strict=True)]
        total = 0.0
        for chosen in product(*corners):
            weight = prod(share for _, share in chosen)
            if weight:
                total += weight * math.log(known[tuple(place for place, _ in chosen)])
        return math.exp(total) * beyond * charge.times


def _between(axis: tuple[int, ...], size: int) -> tuple[tuple[int, float], ...]:
    """The points of a grid on either side of a size, and their weights."""
    above = next(place for place in axis if place >= size)
    if above == size:
        return ((above, 1.0),)
    below = axis[axis.index(above) - 1]
    share = math.log(size / below) / math.log(above / below)
    return ((below, 1 - share), (above, share))


def filled(kind: Kind, found: Mapping[Point, float]) -> dict[Point, float]:
    """The whole grid: points too large to be measured follow from the next smaller one in proportion to their work."""
    whole = dict(found)
    for point in sorted(product(*kind.axes), key=lambda one: kind.work(*one)):
        if point not in whole:
            places = [axis.index(size) for axis, size in zip(kind.axes, point, strict=True)]
            largest = max((n for n in range(len(point)) if places[n]), key=lambda n: point[n])
            axis = kind.axes[largest]
            less = (*point[:largest], axis[places[largest] - 1], *point[largest + 1 :])
            whole[point] = whole[less] * kind.work(*point) / kind.work(*less)
    return whole
