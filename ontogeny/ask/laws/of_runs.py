"""Points out of recorded runs: parameters from the program, what was seen from journal and data, loss from the record.

What is counted as a token is an example, or each element of one input of it. Distinct examples are counted exactly, by
going through the numbers of every batch up to the step whose loss counts, with all that the journal says of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ontogeny.ask.examples import VALID, learned_from
from ontogeny.ask.laws.points import Floats, Points, points
from ontogeny.isa.cost import routine_cost
from ontogeny.isa.errors import LawError
from ontogeny.isa.program import Program
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN

LAST, BEST = "last", "best"
TAKES = (LAST, BEST)
TAIL = 0.02
"""The loss of single batches is averaged over the last share of steps."""
DECAYS = ("weight_decay", "decay", "wd")
"""What a dial of weight decay may be called."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which loss of a run counts: `valid.NAME` of its evaluations or a metric of its steps; the last or the best."""

    metric: str = "valid.loss"
    take: str = LAST
    counted: str = ""
    """The input whose elements are tokens; "" counts examples."""


def points_of(runs: Sequence[Recorded], asked: Asked | None = None) -> Points:
    """A point for each run. LawError names the run that has no such loss, or whose data is not told apart."""
    asked = asked or Asked()
    if asked.take not in TAKES:
        raise LawError(f"{asked.take!r} is not which loss to take; say {' or '.join(TAKES)}")
    if asked.metric.startswith(VALID):
        _check_alike(runs)
    rows = [_row(run, asked) for run in runs]
    names = [run.folder.name for run in runs]
    if not rows:
        raise LawError("there are no runs; name some, or a folder of them, or a CSV file")
    columns = np.array(rows).T
    return points(columns[0], columns[1], columns[3], unique=columns[2], decay=columns[4], names=names)


def _check_alike(runs: Sequence[Recorded]) -> None:
    """LawError where runs were measured on different validation data."""
    on = {(run.start["valid"] or {}).get("fingerprint"): run.folder.name for run in reversed(runs)}
    if len(on) > 1:
        first, other, *_ = on.values()
        raise LawError(
            f"{first} and {other} were evaluated on different data, so their losses do not compare; name runs with the "
            f"same validation data"
        )


def parameters_of(program: Program) -> int:
    """How many numbers a program learns, each once however often it is used."""
    return sum(prod(one.type.shape) for one in program.named_params())


def seen(run: Recorded, step: int) -> tuple[int, int]:
    """How many examples the steps up to state `step` learned from, and how many different ones."""
    total, known = 0, np.zeros(0, bool)
    for _, numbers in learned_from(run, step):
        total += len(numbers)
        if len(numbers) and (most := int(numbers.max())) >= len(known):
            known = np.concatenate([known, np.zeros(max(most + 1, 2 * len(known)) - len(known), bool)])
        known[numbers] = True
    return total, int(known.sum())


def operations_each(run: Recorded, counted: str = "") -> float:
    """Operations of a step for each parameter and token, by the program's own cost; 6 is what is otherwise supposed."""
    program = run.program
    cost = routine_cost(program, LEARN)
    return cost.total.operations / (cost.batch * _tokens(run, counted) * parameters_of(program))


def _row(run: Recorded, asked: Asked) -> tuple[float, ...]:
    """Parameters, tokens, distinct tokens, loss, weight decay."""
    step, loss = loss_of(run, asked)
    if not step:
        raise LawError(f"{run.folder.name} has learned nothing yet: its loss is that of step 0; resume it first")
    examples, distinct = seen(run, step)
    each = _tokens(run, asked.counted)
    dials = run.dials(step - 1)
    decay = next((dials[name] for name in DECAYS if name in dials), math.nan)
    return parameters_of(run.as_of(step - 1).program), examples * each, distinct * each, loss, decay


def loss_of(run: Recorded, asked: Asked) -> tuple[int, float]:
    """The step whose loss counts, and that loss; LawError where there is none."""
    steps, values = _curve(run, asked.metric)
    finite = np.isfinite(values)
    if not finite.any():
        raise LawError(f"{run.folder.name} has no {asked.metric}; {_has(run)}")
    steps, values = steps[finite], values[finite]
    if asked.take == BEST:
        at = int(values.argmin())
    else:
        at = len(values) - 1
        if not asked.metric.startswith(VALID):
            values = np.append(values[:-1], values[-max(1, int(TAIL * len(values))) :].mean())
    return int(steps[at]), float(values[at])


def _curve(run: Recorded, metric: str) -> tuple[Floats, Floats]:
    """Steps and values of a metric."""
    if metric.startswith(VALID):
        rows = [row for row in run.evaluations() if metric.removeprefix(VALID) in row]
        return (
            np.array([row["step"] for row in rows], np.float64),
            np.array([row[metric.removeprefix(VALID)] for row in rows], np.float64),
        )
    columns = run.metrics() if run.step else {}
    return columns.get("step", np.zeros(0)), np.asarray(columns.get(metric, np.zeros(0)), np.float64)


def _has(run: Recorded) -> str:
    """What it has instead, in words."""
    names = [name for name in (run.metrics(max(run.step, 1)) if run.step else {}) if name != "step"]
    evaluations = run.evaluations()
    names += [VALID + name for name in (evaluations[-1] if evaluations else {}) if name != "step"]
    return f"it has {', '.join(names)}, which --metric may name" if names else "nothing was measured of it yet"


def _tokens(run: Recorded, counted: str) -> int:
    """How many tokens an example is."""
    if not counted:
        return 1
    batch = run.data.batch(0)
    if counted not in batch:
        raise LawError(f"{run.folder.name} has no input {counted!r} to count; it has {', '.join(batch)}")
    return prod(batch[counted].shape[1:])
