"""Where a loss jumps up: the largest rise of its level over a few steps to either side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SIDE = 6
"""Steps on either side whose medians are compared."""
BEFORE = 3
"""States before the first loss that is raised, at which what raised it has certainly not begun."""


def jump(steps: Sequence[int], losses: Sequence[float]) -> tuple[int, ...]:
    """The state some steps before the jump, and the one whose loss is the first raised; empty without a jump.

    The loss of a step belongs to the state that it started from, one less than its number. A loss that is not finite
    is above all others.
    """
    values = np.nan_to_num(np.asarray(losses, np.float64), nan=np.inf, posinf=np.inf)
    if len(values) < 2 * SIDE:
        return ()
    finite = values[np.isfinite(values)]
    values = np.minimum(values, 10 * finite.max(initial=1.0) + 1)
    windows = np.lib.stride_tricks.sliding_window_view(values, SIDE)
    level = np.median(windows, axis=1)
    rise = level[SIDE:] - level[:-SIDE]
    place = int(rise.argmax())
    if rise[place] <= 0:
        return ()
    bound = (level[place] + level[place + SIDE]) / 2
    inside = np.flatnonzero(values[place + SIDE // 2 : place + 2 * SIDE] > bound)
    at = place + SIDE // 2 + int(inside[0]) if len(inside) else place + SIDE
    first = int(steps[at]) - 1
    return max(0, first - BEFORE), max(0, first)
