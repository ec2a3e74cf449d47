"""A metric as it comes, step by step, in constant memory: where it began, where it is, its best, and its noise."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

from ontogeny.ask.finding import Series, series

FEW = 8
"""How many values a level is the median of."""
KEPT = 256
BENT = 3**-0.5
"""The noise is what independent values would change by from step to step, told from how they bend, so that a trend is
no noise: for such values second differences are the square root of 3 times as large as first ones."""
OUTLYING, SLOW = 3.0, 50
"""A bend counts as at most so many times the noise, which follows the last so many: a jump is no noise either."""


class Curve:
    """The level of a metric is the median of its last FEW values. A value that is not finite is only noted."""

    def __init__(self, few: int = FEW, slow: int = SLOW) -> None:
        self.count = 0
        self.step = 0
        self.value = math.nan
        self.first = math.nan
        self.level = math.nan
        self.best, self.best_step = math.inf, 0
        self.noise = 0.0
        self._before, self._slow = math.nan, slow
        self.nonfinite: int | None = None
        self.recent: deque[float] = deque(maxlen=few)
        self.kept: list[tuple[int, float]] = []
        self._every = 1

    def add(self, step: int, value: float) -> None:
        """One more value."""
        if not math.isfinite(value):
            self.nonfinite = step if self.nonfinite is None else self.nonfinite
            return
        if self.count > 1:
            bend = BENT * abs(value - 2 * self.value + self._before)
            usual = bend if self.count < 2 * FEW else min(bend, OUTLYING * self.noise)
            self.noise += (usual - self.noise) / min(self.count - 1, self._slow)
        self.count, self.step, self._before, self.value = self.count + 1, step, self.value, value
        self.recent.append(value)
        self.level = median(self.recent)
        if self.count <= len(self.recent):
            self.first = self.level
        if self.level < self.best:
            self.best, self.best_step = self.level, step
        self._keep(step, value)

    def _keep(self, step: int, value: float) -> None:
        """Keeps every value, then every second, fourth..., for drawing."""
        if self.count % self._every == 0:
            self.kept.append((step, value))
            if len(self.kept) >= 2 * KEPT:
                self.kept, self._every = self.kept[1::2], 2 * self._every

    @property
    def gained(self) -> float:
        """How far the best level lies below the first."""
        return self.first - self.best

    def series(self, name: str) -> Series:
        """What was kept of it, to be drawn."""
        return series(name, (step for step, _ in self.kept), (value for _, value in self.kept))
