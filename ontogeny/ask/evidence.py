"""What a diagnosis goes by, each part made when first asked for: what was told, the values, the inside, the data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ontogeny.ask.examples import Examples
from ontogeny.ask.inside import Inside
from ontogeny.ask.jumps import jump
from ontogeny.ask.moved import Moved
from ontogeny.ask.progress import LOSSES, first_told
from ontogeny.data.base import Array
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.attach import Attached
from ontogeny.record.attach import metrics as told_metrics
from ontogeny.record.attach.attached import METRICS
from ontogeny.record.recorded import Recorded
from ontogeny.record.trace.traces import ALL, Window

GRID = 32
"""Into so many parts a window is cut; where something began is known to one of them."""
COARSE = 4
"""Every so many of them is looked into first."""
NO_PROGRAM = (
    "the record of a loop that is not ours has values, but no program to replay; og.capture makes a run with one"
)


class Silent(OntogenyError):
    """A kind of finding cannot be looked for; the message says why."""


class Evidence:
    """The evidence of a run over a window of its states.

    Where its program changed, only the steps that go by the same program as the window's last ones.
    """

    def __init__(
        self,
        run: Recorded | Attached,
        window: Window = ALL,
        data: Mapping[str, Array] | None = None,
        valid: Mapping[str, Array] | None = None,
        grid: int = GRID,
    ) -> None:
        self.run = run if isinstance(run, Attached) or window.stop is None else run.as_of(window.stop - 1)
        self.window = _by_one_program(self.run, window)
        self.grid = grid
        self._given = data, valid

    @cached_property
    def states(self) -> npt.NDArray[np.int64]:
        """The states in the window that a step was taken from, or at which there are values."""
        every = np.asarray(self.run.traces.steps) if isinstance(self.run, Attached) else np.arange(self.run.step)
        return every[self.window.of(every)]

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Some of these, evenly spaced: the fine grid."""
        states = self.states
        if not len(states):
            raise Silent(f"no step is recorded in {self.window}")
        places = np.unique(np.linspace(0, len(states) - 1, self.grid + 1).round()).astype(int)
        return tuple(int(step) for step in states[places])

    @property
    def looked_at(self) -> tuple[int, ...]:
        """The fine grid, empty where there is none."""
        return self.steps if len(self.states) else ()

    def told(self) -> Iterator[tuple[int, Mapping[str, float]]]:
        """Each step of the window with what was told of it, held-out metrics among it from when they are known."""
        if isinstance(self.run, Attached):
            yield from self._attached(self.run)
            return
        start, stop = self.window.start or 0, self.window.stop
        columns = self.run.metrics(max(1, start), None if stop is None else stop - 1)
        evaluations = iter([*self.run.evaluations(), {"step": math.inf}])
        ahead, known = next(evaluations), dict[str, float]()
        names = [name for name in columns if name != "step"]
        for row, step in enumerate(columns["step"]):
            while ahead["step"] <= step:
                known = {f"valid.{name}": value for name, value in ahead.items() if name != "step"}
                ahead = next(evaluations)
            yield int(step), {**{name: float(columns[name][row]) for name in names}, **known}

    def _attached(self, run: Attached) -> Iterator[tuple[int, Mapping[str, float]]]:
        rows: dict[int, dict[str, float]] = {}
        for line in told_metrics.read(run.folder / METRICS):
            step = int(line["step"])
            if (self.window.start or 0) <= step and (self.window.stop is None or step < self.window.stop):
                values = {name: float(value) for name, value in line.items() if name not in ("step", "crc")}
                rows.setdefault(step, {}).update(values)
        yield from sorted(rows.items())

    @property
    def native(self) -> Recorded:
        """The run, where it is one of our own. Raises Silent for a recorded loop."""
        if isinstance(self.run, Attached):
            raise Silent(NO_PROGRAM)
        return self.run

    @cached_property
    def inside(self) -> Inside:
        """What happens inside its steps, by replay. Raises Silent for a recorded loop."""
        return Inside(self.native, self.steps)

    @cached_property
    def jumps(self) -> tuple[int, ...]:
        """States around the largest lasting rise of the loss: before it, and at it; none where it never rises."""
        rows = [(step, loss) for step, metrics in self.told() if (loss := first_told(metrics, LOSSES)) is not None]
        return jump([step for step, _ in rows], [loss for _, loss in rows])

    @cached_property
    def moved(self) -> Moved:
        """How the recorded values move. Raises Silent for a run of our own, of which `inside` knows more."""
        if not isinstance(self.run, Attached):
            raise Silent("the run has a program, which tells more than its values")
        return Moved(self.run.traces, self.steps)

    @cached_property
    def examples(self) -> Examples:
        """The examples that it learns from and those held out. Raises Silent where they are not to be had."""
        data, valid = self._given
        found = Examples.of(None if isinstance(self.run, Attached) else self.run, data, valid)
        if isinstance(found, str):
            raise Silent(found)
        return found

    def labels(self, held_out: bool = False) -> npt.NDArray[np.int64]:
        """The class of each training, or held-out, example. Raises Silent where there is not one for each."""
        examples = self.examples
        found = (examples.valid if held_out else examples.train).get(examples.label)
        labels = np.zeros(0) if found is None else np.asarray(found)
        if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels) or labels.min() < 0:
            raise Silent(f"no class for each {'held-out' if held_out else 'training'} example is known")
        return labels.astype(np.int64)


def _by_one_program(run: Recorded | Attached, window: Window) -> Window:
    """What of the window lies where the run's program had begun."""
    if isinstance(run, Attached) or run.changed is None:
        return window
    return Window(max(run.changed, window.start or 0), window.stop)
