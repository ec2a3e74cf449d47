"""A regime tried on a learner, from the same first values on the same batches: what it reached, and at what work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ontogeny.isa.cost import routine_cost
from ontogeny.record.blame import NonfiniteError
from ontogeny.record.experiment import Goal
from ontogeny.record.run import Run
from ontogeny.train.regimes.table import Regime

Advance = Callable[[Run, int, Goal | None], object]
"""Lets a run go on for so many steps, or until a goal is met."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a regime came to with one seed: its run, the steps taken, the goal's step or None, the last metrics,
    CPU seconds, and where it ended early in values that are no numbers."""

    regime: str
    seed: int
    run: str
    steps: int
    reached: int | None
    metrics: Mapping[str, float]
    operations: float
    seconds: float
    broken: str = ""


def advanced(run: Run, steps: int, goal: Goal | None) -> None:
    """Lets a run go on, and says nothing."""
    run.advance(steps, until=goal.met if goal else None)


def tried(
    regime: Regime, base: Run, folder: Path, steps: int, goal: Goal | None = None, advance: Advance = advanced
) -> Tried:
    """A regime on a fork of `base` at step 0, in a new folder, for so many steps or until the goal.

    Raises OntogenyError where the program cannot be edited so; values that are no numbers only end it.
    """
    with regime.begun(base, folder) as run:
        return _one(regime, run, steps, goal, advance)


def _one(regime: Regime, run: Run, steps: int, goal: Goal | None, advance: Advance) -> Tried:
    began, broken = time.process_time(), ""
    try:
        advance(run, steps, goal)
    except NonfiniteError as error:
        broken = str(error)
    seconds, metrics = time.process_time() - began, run.latest()
    reached = run.step if goal is not None and not broken and goal.met(metrics) else None
    operations = routine_cost(run.program, "learn").total.operations
    name, seed = run.folder.name, int(run.start["seed"])
    return Tried(regime.name, seed, name, run.step, reached, metrics, operations, seconds, broken)
