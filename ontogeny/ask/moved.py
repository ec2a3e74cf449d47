"""How recorded values move, where there is no program: changes by tensor, and how straight the way is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ontogeny.ask.carry import wide
from ontogeny.record.trace.traces import Traces


@dataclass
class Moved:
    """The recorded values at the states of a grid, and between neighbouring ones."""

    traces: Traces
    steps: tuple[int, ...]
    _rows: dict[int, dict[str, npt.NDArray[np.float64]]] = field(default_factory=dict)

    def row(self, step: int) -> dict[str, npt.NDArray[np.float64]]:
        """All tensors at a recorded step, f64, flat."""
        if step not in self._rows:
            self._rows[step] = {name: wide(array).reshape(-1) for name, array in self.traces.row(step).items()}
        return self._rows[step]

    def after(self, step: int, count: int = 1) -> int | None:
        """The recorded step that comes so many recorded steps later, None at the end."""
        steps = np.asarray(self.traces.steps)
        place = int(np.searchsorted(steps, step)) + count
        return int(steps[place]) if place < len(steps) else None
