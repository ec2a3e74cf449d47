"""A regime tried on a learner, from the same first values on the same batches: what it reached, and at what work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

from ontogeny.isa.cost import routine_cost
from ontogeny.isa.periodic import is_due, periodic
from ontogeny.record.blame import NonfiniteError
from ontogeny.record.creating import EVALUATE
from ontogeny.record.experiment import Goal
from ontogeny.record.run import Run
from ontogeny.record.stepper import LEARN
from ontogeny.train.regimes.table import Regime

Advance = Callable[[Run, int, Goal | None], object]
"""Lets a run go on for so many steps, or until a goal is met."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a regime came to with one seed: its run, the steps taken, the goal's step or None, the last metrics, the
    held-out ones of its last state, too; operations of a step in the mean over those taken, with what its routines were
    called for; CPU seconds, and where it ended early in values that are no numbers."""

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
    seconds, metrics = time.process_time() - began, at_the_end(run)
    reached = run.step if goal is not None and not broken and goal.met(metrics) else None
    name, seed = run.folder.name, int(run.start["seed"])
    return Tried(regime.name, seed, name, run.step, reached, metrics, operations_of(run), seconds, broken)


def at_the_end(run: Run) -> dict[str, float]:
    """The metrics of the last step, and the held-out ones of the present state, whether or not they were due there.

    What is no number any more is left out.
    """
    found = run.latest()
    if run.valid is not None and run.program.has(EVALUATE) and run.history.last_evaluation().get("step") != run.step:
        machine = run._seat.another()
        machine.load(run.state())
        results = machine.call(EVALUATE, run.valid, run.dials())
        found |= {f"valid.{name}": float(value) for name, value in results.items() if not value.shape}
    return {name: value for name, value in found.items() if isfinite(value)}


def operations_of(run: Run) -> float:
    """Of a step in the mean over those taken: `learn`, and the routines that dials had called before some of them."""
    dials = run.dials()
    decls = (replace(decl, default=dials.get(decl.name, decl.default)) for decl in run.program.decls)
    program = replace(run.program, decls=tuple(decls))  # loops are counted by what their dials begin at
    total: float = routine_cost(program, LEARN).total.operations
    for name, dial in periodic(program).items():
        if times := sum(is_due(dials[dial], step) for step in range(run.step)):
            total += times / run.step * routine_cost(program, name).total.operations
    return total
