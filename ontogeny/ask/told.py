"""What a recorded loop told of its steps, sorted out: metrics of every step, those told now and then, and settings.

A loop tells everything alike, beside whatever step. What it told at fewer than half of the steps is taken for an
evaluation; the names that trainers give those (`eval_loss`) become the measure's own. What a torch optimizer calls a
setting is told where it changes, and holds until it changes again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ontogeny.record.attach import Attached
from ontogeny.record.attach.metrics import STEPS

Column = npt.NDArray[np.float64]
T = TypeVar("T", Column, float)
SETTINGS = re.compile(
    r"(lr|weight_decay|momentum|dampening|eps|alpha|rho|lambd|lr_decay|initial_accumulator_value|t0|"
    r"ns_steps|beta[12]|num_iterations|swa_lr|max_lr|min_lr)(\.\d+)?"
)
EVALUATED = re.compile(r"(logged\.)?(valid|val|eval|test)[._/](?P<measure>.+)")


@dataclass(frozen=True)
class Told:
    """`metrics` are columns beside `step`, NaN where nothing was told, and settings that changed among them.

    `evaluations` are rows with a `step` each; `settings` are those that stayed what they were.
    """

    metrics: dict[str, Column]
    evaluations: list[dict[str, float]]
    settings: dict[str, float]


def told(run: Attached) -> Told:
    """What the loop told up to its last step."""
    columns = run.metrics()
    steps = columns.pop("step")
    metrics, rows, settings = {"step": steps}, dict[float, dict[str, float]](), dict[str, float]()
    for name, column in columns.items():
        at = np.flatnonzero(~np.isnan(column))
        if name.startswith(("initial_lr", STEPS)):
            continue
        if SETTINGS.fullmatch(name):
            if len(set(column[at].tolist())) > 1:
                metrics[name] = _held(column, at)
            elif len(at):
                settings[name] = float(column[at[0]])
        elif 2 * len(at) >= len(steps):
            metrics[name] = column
        elif len(at):
            measure = found["measure"] if (found := EVALUATED.fullmatch(name)) else name
            for place in at:
                rows.setdefault(steps[place], {"step": float(steps[place])})[measure] = float(column[place])
    return Told(_alike(metrics), [rows[step] for step in sorted(rows)], _alike(settings))


def _alike(told: dict[str, T]) -> dict[str, T]:
    """Settings that are the same in all groups of the optimizers, once and without the groups' numbers."""
    groups: dict[str, list[str]] = {}
    for name in told:
        if (found := SETTINGS.fullmatch(name)) and found[2]:
            groups.setdefault(found[1], []).append(name)
    same = {
        base: names
        for base, names in groups.items()
        if len(names) > 1 and all(np.array_equal(told[one], told[names[0]], equal_nan=True) for one in names)
    }
    first, rest = (
        {names[0]: base for base, names in same.items()},
        {one for names in same.values() for one in names[1:]},
    )
    return {first.get(name, name): value for name, value in told.items() if name not in rest}


def _held(column: Column, at: npt.NDArray[np.int64]) -> Column:
    """The column with what was told last at every step, NaN before anything was."""
    places = np.searchsorted(at, np.arange(len(column)), "right") - 1
    return np.where(places >= 0, column[at][np.maximum(places, 0)], np.nan)
