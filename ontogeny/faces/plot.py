"""A small chart of lines in a terminal, in braille dots: two columns and four rows of them to a character."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ontogeny.faces.terminal import number

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a character, by row and column (Unicode's block of braille patterns)."""
EMPTY = 0x2800
Columns = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
DECADES = 2.0
"""A line over so many powers of ten is drawn by its logarithm."""


def plot(steps: Sequence[int], values: Sequence[float], width: int = 60, height: int = 5) -> list[str]:
    """Rows of text: the highest and lowest value on the left, the first and last step beneath; empty for no line.

    Values that are not finite leave a gap.
    """
    known = [(step, value) for step, value in zip(steps, values, strict=True) if math.isfinite(value)]
    if not known:
        return []
    x, y = np.array([step for step, _ in known], float), np.array([value for _, value in known])
    low, high = float(y.min()), float(y.max())
    by_decades = low > 0 and math.log10(high / low) > DECADES
    place = np.log10(y) if by_decades else y
    columns, place = _joined(_places(x, 2 * width - 1), place)
    rows = 4 * height - 1 - _places(place, 4 * height - 1)
    cells = np.full((height, width), EMPTY)
    for column, row in zip(columns, rows, strict=True):
        cells[row // 4, column // 2] |= DOTS[row % 4][column % 2]
    names = [number(high), *[""] * (height - 2), number(low)]
    margin = max(map(len, names))
    drawn = [f"{name:>{margin}} {''.join(map(chr, row))}" for name, row in zip(names, cells.tolist(), strict=True)]
    first, last = str(int(x.min())), str(int(x.max()))
    foot = f"{' ' * margin} {first}{last:>{max(1, width - len(first))}}"
    return [*drawn, foot + ("  (logarithmic)" if by_decades else "")]


def _joined(columns: Columns, values: Values) -> tuple[Columns, Values]:
    """A value for every column: where there are several points the mean, and a straight line between neighbours."""
    own = np.unique(columns)
    means = np.array([values[columns == column].mean() for column in own])
    every = np.arange(own[0], own[-1] + 1)
    return every, np.interp(every, own, means)


def _places(values: Values, most: int) -> Columns:
    """Where values lie between 0 and `most`; in the middle where all are the same."""
    spread = float(values.max() - values.min())
    if not spread > 0:
        return np.full(len(values), most // 2)
    found: Columns = np.round((values - values.min()) / spread * most).astype(np.int64)
    return found
