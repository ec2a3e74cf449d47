"""Runs that differ in nothing but weight decay, and for some laws epochs, are one point: the best of them.

A law "at tuned decay" is about that point, so it is only as good as the tuning: where the best decay is the largest or
the smallest that was tried, a better one may lie beyond, and `loose` says where. How the best decay grows with size and
data is a power law of its own, fitted here to where the losses around the best have their lowest point.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from ontogeny.ask.laws.forms import Floats
from ontogeny.ask.laws.points import Points, groups
from ontogeny.isa.errors import LawError

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cell:
    """The runs of one size and data by weight decay, rising, each with its loss: the mean of its seeds, at its best."""

    parameters: float
    unique: float
    decays: tuple[float, ...]
    losses: tuple[float, ...]
    chosen: tuple[int, ...]
    """The places of the runs that count."""

    @property
    def best(self) -> int:
        """The place of the best decay."""
        return int(np.argmin(self.losses))

    @property
    def interior(self) -> bool:
        """Whether a smaller and a larger decay than the best were tried."""
        return 0 < self.best < len(self.decays) - 1

    @property
    def lacks(self) -> str:
        """What should be tried beside it; empty where the best is in between."""
        where = f"N={self.parameters:,.0f} on {self.unique:,.0f} distinct"
        if len(self.decays) < 2:
            return f"{where}: one weight decay was tried"
        if self.interior:
            return ""
        return f"{where}: {'above' if self.best else 'below'} {self.decays[self.best]:g}"


def cells(points: Points, over: tuple[str, ...]) -> list[Cell]:
    """Points that differ only in what is tuned over. A point whose decay is not known is a decay of its own."""
    fixed = [name for name in ("parameters", "tokens", "unique") if name not in over]
    return [_cell(points, places) for places in _alike(*(groups(getattr(points, name)) for name in fixed))]


def tuned(points: Points, over: tuple[str, ...]) -> Points:
    """The points that are left when of each cell only the best counts, with all its seeds."""
    return points.take(sorted(place for cell in cells(points, over) for place in cell.chosen))


def loose(points: Points, over: tuple[str, ...]) -> list[str]:
    """Where tuning is not done: the cells whose best decay has none on one side, in words."""
    return [cell.lacks for cell in cells(points, over) if cell.lacks]


def _alike(*levels: Places) -> Iterator[Places]:
    """The places of rows that are the same in all columns."""
    rows = np.stack(levels, axis=1)
    _, which = np.unique(rows, axis=0, return_inverse=True)
    yield from (np.flatnonzero(which.reshape(-1) == one) for one in range(int(which.max(initial=-1)) + 1))


def _cell(points: Points, places: Places) -> Cell:
    """Of each decay the number of tokens at which its seeds are best on average; of the decays the best."""
    decays = np.nan_to_num(points.decay[places], nan=-1.0)
    losses, chosen = [], []
    tried = np.unique(decays)
    for decay in tried:
        own = places[decays == decay]
        lengths = [own[one] for one in _alike(groups(points.tokens[own]))]
        means = [float(points.loss[one].mean()) for one in lengths]
        losses.append(min(means))
        chosen.append(lengths[int(np.argmin(means))])
    best = chosen[int(np.argmin(losses))]
    sizes = float(points.parameters[places].mean()), float(points.unique[places].mean())
    return Cell(*sizes, tuple(map(float, tried)), tuple(losses), tuple(map(int, best)))


def lowest_point(cell: Cell) -> float:
    """The natural logarithm of the decay at the lowest point of a parabola through the best and its neighbours."""
    around = slice(cell.best - 1, cell.best + 2)
    if cell.decays[around][0] <= 0:
        return float(np.log(cell.decays[cell.best]))
    place, loss = np.log(cell.decays[around]), np.array(cell.losses[around])
    curve, slope, _ = np.polyfit(place - place[1], loss, 2)
    return float(place[1] + (np.clip(-slope / (2 * curve), *(place[[0, 2]] - place[1])) if curve > 0 else 0.0))


@dataclass(frozen=True, eq=False)
class DecayLaw:
    """ln of the best decay = `numbers` . (1, ln N, ln U), each logarithm less its mean; least squares."""

    numbers: Floats
    means: Floats
    spread: Floats
    free: int
    cells: int

    def at(self, parameters: float, unique: float) -> tuple[float, float, float]:
        """The best decay of a size on so much distinct data, and a 95% interval of it (Student's t)."""
        row = np.concatenate([[1.0], np.log([parameters, unique]) - self.means])
        place, width = float(row @ self.numbers), float(np.sqrt(row @ self.spread @ row))
        reach = float(stats.t.ppf(0.975, self.free)) * width
        low, mid, high = np.exp(np.clip([place - reach, place, place + reach], -700, 700))
        return float(mid), float(low), float(high)


def decay_law(points: Points) -> DecayLaw:
    """How the best weight decay follows from size and data. LawError where too few cells have theirs in between."""
    inside = [cell for cell in cells(points, ("decay", "tokens")) if cell.interior]
    sizes = np.log([[cell.parameters, cell.unique] for cell in inside]).reshape(-1, 2)
    varied = [axis for axis in (0, 1) if len(inside) and groups(np.exp(sizes[:, axis])).max() > 0]
    if len(inside) < len(varied) + 2 or not varied:
        raise LawError(
            f"the best weight decay is known of {len(inside)} sizes and data; it needs at least "
            f"{max(3, len(varied) + 2)} that differ, each with a smaller and a larger decay tried than its best"
        )
    target, means = np.array([lowest_point(cell) for cell in inside]), sizes.mean(axis=0)
    columns = [0, *(1 + axis for axis in varied)]
    rows = np.concatenate([np.ones((len(inside), 1)), sizes - means], axis=1)
    used = rows[:, columns]
    found = np.linalg.lstsq(used, target, rcond=None)[0]
    free = len(inside) - len(columns)
    noise = max(float(((target - used @ found) ** 2).sum()) / free, _grid_noise(inside))
    numbers, spread = np.zeros(3), np.zeros((3, 3))
    numbers[columns] = found
    spread[np.ix_(columns, columns)] = np.linalg.pinv(used.T @ used) * noise
    return DecayLaw(numbers, means, spread, free, len(inside))


def _grid_noise(inside: list[Cell]) -> float:
    """A best decay is known no better than a part of the grid's step: a variance of (step/4)^2, at the least."""
    steps = [np.log(cell.decays[cell.best + 1] / max(cell.decays[cell.best - 1], 1e-12)) / 2 for cell in inside]
    return float((np.median(steps) / 4) ** 2)
