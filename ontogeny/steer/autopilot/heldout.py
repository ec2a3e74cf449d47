"""The examples that trials are scored on, and those that only the last judgement sees: two halves of what is held out.

The halves are drawn by a hash of the examples themselves, so that they are the same for every trial and every session.
Where a run has no validation, a tenth of its training examples is left out of every fork and takes its place; what
the run had learned from them before the fork cannot be undone, and is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array, content_hash
from ontogeny.data.without import ranges, written
from ontogeny.isa.errors import MachineError, OntogenyError
from ontogeny.isa.program import Program
from ontogeny.machine.base import Machine
from ontogeny.record.creating import EVALUATE
from ontogeny.record.experiment import Goal
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN

LEFT_OUT = 0.1
CHUNKS = 100
"""Into so many parts the judged half is cut where it has more examples: the units that are drawn again."""
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class HeldOut:
    """Held-out examples under the names of a routine's inputs, and the numbers of the two halves among them."""

    arrays: Mapping[str, Array]
    routine: str
    search: Numbers
    judge: Numbers
    left_out: str = ""
    remark: str = ""

    @property
    def count(self) -> int:
        """How many there are in all."""
        return len(next(iter(self.arrays.values())))

    def rows(self, numbers: Numbers) -> dict[str, Array]:
        """Some of the examples."""
        return {name: array[numbers] for name, array in self.arrays.items()}


def held_out(run: Recorded) -> HeldOut:
    """What can be held out of a run. Raises OntogenyError where there is nothing to judge by."""
    valid = run.valid
    if valid and run.program.has(EVALUATE) and len({len(array) for array in valid.values()}) == 1:
        return HeldOut(valid, EVALUATE, *_halves(valid))
    data = run.data
    if not isinstance(data, Arrays) or len(data) < 40:
        raise OntogenyError(
            f"{run.folder.name} has neither validation examples nor training examples by number to leave out; "
            "give it some (valid=...), since without them nothing can be judged"
        )
    chosen = np.sort(_drawn(data.arrays)[: max(20, int(LEFT_OUT * len(data)))])
    arrays = {name: array[chosen] for name, array in data.arrays.items()}
    learned = f"; before that the run learned from them for {run.step} steps" if run.step else ""
    words = written(ranges(chosen))
    remark = f"the run has no validation: {len(chosen)} training examples are left out of every fork to judge by"
    return HeldOut(arrays, LEARN, *_halves(arrays), words, remark + learned)


def _drawn(arrays: Mapping[str, Array]) -> Numbers:
    seed = int(content_hash(arrays)[:16], 16)
    return np.random.default_rng(seed).permutation(len(next(iter(arrays.values())))).astype(np.int64)


def _halves(arrays: Mapping[str, Array]) -> tuple[Numbers, Numbers]:
    order = _drawn(arrays)
    if len(order) < 4:
        raise OntogenyError(f"{len(order)} held-out examples are too few to judge by; give at least 4")
    return np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])


@dataclass(frozen=True)
class Measure:
    """What is made small: a scalar result of the routine, or its negative where more of it is better."""

    name: str = "loss"
    sign: float = 1.0

    def of(self, results: Mapping[str, float]) -> float:
        """The score of some results: less is better; infinite where it is no number."""
        value = self.sign * results.get(self.name, np.nan)
        return float(value) if np.isfinite(value) else np.inf


def measure_of(results: Mapping[str, float], goal: Goal | None) -> Measure:
    """The loss, which tells more than whether a goal is met; the goal's own metric where there is no loss.

    Raises OntogenyError where there is neither.
    """
    if "loss" in results:
        return Measure()
    name = goal.metric.removeprefix("valid.") if goal else ""
    if goal is None or name not in results:
        raise OntogenyError(f"there is no loss among {', '.join(results) or 'no results'}; name a goal by one of them")
    return Measure(name, 1.0 if goal.relation.startswith("<") else -1.0)


@dataclass
class Scorer:
    """Scores states of runs on some of the held-out examples, on machines of its own."""

    held: HeldOut
    measure: Measure = Measure()
    _machines: dict[int, tuple[Program, Machine]] = field(default_factory=dict)

    def results(self, run: Recorded, step: int | None = None) -> dict[str, float]:
        """The results for the search's half at a state."""
        return self._mean(self._at(run, step), run, self._search)

    def parts(self, run: Recorded, step: int | None, half: Numbers) -> list[dict[str, float]]:
        """The results for each part of a half at a state (None: the present one)."""
        machine = self._at(run, step)
        cut = np.array_split(half, min(CHUNKS, len(half)))
        return [self._mean(machine, run, self.held.rows(part)) for part in cut]

    def scores(self, parts: Sequence[Mapping[str, float]]) -> Floats:
        """The score of each part, f64[parts]."""
        return np.array([self.measure.of(part) for part in parts])

    @cached_property
    def _search(self) -> dict[str, Array]:
        return self.held.rows(self.held.search)

    def _at(self, run: Recorded, step: int | None) -> Machine:
        source = run if step is None else run.as_of(step)
        key = id(source.program)
        if key not in self._machines:
            self._machines[key] = source.program, source._seat.another()
        machine = self._machines[key][1]
        machine.load(source.state(step))
        return machine

    def _mean(self, machine: Machine, run: Recorded, rows: Mapping[str, Array]) -> dict[str, float]:
        before = machine.state() if self.held.routine == LEARN else None
        try:
            found = machine.call(self.held.routine, rows, run.dials())
        except MachineError:
            found = machine.call(self.held.routine, self._filled(run, rows), run.dials())
        if before is not None:
            machine.load(before)
        return {name: float(value) for name, value in found.items() if not np.shape(value)}

    def _filled(self, run: Recorded, rows: Mapping[str, Array]) -> dict[str, Array]:
        """The rows over and over, up to the one size that the routine takes."""
        one: Mapping[str, Any] = self.held.arrays if self.held.routine == EVALUATE else run.data.batch(0)
        return {name: np.resize(array, (len(one[name]), *array.shape[1:])) for name, array in rows.items()}


def check_goal(goal: Goal | None, run: Recorded) -> None:
    """Raises OntogenyError for a goal about a metric that scoring a run does not give."""
    if goal is None:
        return
    results = Scorer(held_out(run)).results(run)
    if goal.metric.removeprefix("valid.") not in results:
        there = ", ".join(f"valid.{name}" for name in results)
        raise OntogenyError(f"there is no metric {goal.metric!r} to reach; there are {there or 'none'}")
