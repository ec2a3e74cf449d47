"""A run as the search sees it: its validation is the search's half, and its evaluations are the trials' own scores.

So a diagnosis of it never meets an example that is judged by, neither in what `evaluate` returned nor in the data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ontogeny.ask.diagnose import Watcher, diagnose
from ontogeny.ask.events import curves
from ontogeny.ask.finding import Finding
from ontogeny.record.creating import EVALUATE
from ontogeny.record.recorded import Metrics, Recorded
from ontogeny.record.run import Run
from ontogeny.steer.autopilot.heldout import HeldOut
from ontogeny.steer.autopilot.remedies import spike
from ontogeny.steer.autopilot.trials import Row

HURT = 0.1
"""Of the best score before a jump of the training loss, how much worse it has to be for the jump to count."""
DEEP = (
    "dead_units", "duplicated_examples", "exploding_gradient", "frozen_by_mistake", "leakage", "lost_updates",
    "mislabelled_examples", "saturated_units", "vanishing_gradient",
)  # fmt: skip
"""What is looked for by replay at a decision point: what a fork can be tried against."""


class Seen(Recorded):
    """A view of a run that has the search's half for validation, and rows of its scores for evaluations."""

    def __init__(self, run: Run, held: HeldOut, rows: Sequence[Row]) -> None:
        super().__init__(run.folder, data=run.data, seat=run._seat, program=run.program)
        self.__dict__["valid"] = held.rows(held.search) if held.routine == EVALUATE else None
        self._rows_seen = [{"step": row.step, **row.results} for row in rows if row.results]

    def evaluations(self) -> list[Metrics]:
        """The search's scores, each with its step."""
        return self._rows_seen


def quick(run: Run, held: HeldOut, rows: Sequence[Row]) -> tuple[Finding, ...]:
    """What the recorded metrics tell, as they came step by step, the search's scores among them."""
    watcher, seen = Watcher(), Seen(run, held, rows)
    columns = seen.metrics()
    scored = {row.step: {f"valid.{name}": value for name, value in row.results.items()} for row in rows}
    known: dict[str, float] = {}
    names = [name for name in columns if name != "step"]
    for place, step in enumerate(columns["step"]):
        known = scored.get(int(step), known)
        watcher.step(int(step), {**{name: float(columns[name][place]) for name in names}, **known})
    jumped = spike(curves(seen))
    found = tuple(one for one in watcher.findings if one.until is None)
    return found if jumped is None or not _hurt(rows, jumped.since) else (jumped, *found)


def _hurt(rows: Sequence[Row], since: int) -> bool:
    """Whether held-out examples are clearly worse than they were at their best before a step."""
    before = min((row.score for row in rows if row.step <= since), default=math.inf)
    return rows[-1].score > before + HURT * abs(before)


def deep(run: Run, held: HeldOut, rows: Sequence[Row]) -> tuple[Finding, ...]:
    """What replay of some steps tells."""
    return tuple(one for one in diagnose(Seen(run, held, rows), kinds=DEEP).findings if one.until is None)
