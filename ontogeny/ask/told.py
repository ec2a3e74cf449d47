"""What a recorded loop told of its steps, sorted out: metrics of every step, those told now and then, and settings.

A loop tells everything alike, beside whatever step. What it told at fewer than half of the steps is taken for an
evaluation; the names that trainers give those (`eval_loss`) become the measure's own. What a torch optimizer calls a
setting is told where it changes, and holds until it changes again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.record.attach import Attached
from ontogeny.record.attach.metrics import STEPS

Column = npt.NDArray[np.float64]
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
    return Told(metrics, [rows[step] for step in sorted(rows)], settings)


def _held(column: Column, at: npt.NDArray[np.int64]) -> Column:
    """The column with what was told last at every step, NaN before anything was."""
    places = np.searchsorted(at, np.arange(len(column)), "right") - 1
    return np.where(places >= 0, column[at][np.maximum(places, 0)], np.nan)
