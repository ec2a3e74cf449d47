"""Fitness by a run: a candidate becomes an experiment, learns for some steps, and what came of it is judged.

Candidates are anything: weights to begin with, dials of a rule, a program. Each run lies in a folder of its own for as
long as it is judged, so that every question that can be asked of a run can be asked by a fitness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ontogeny.evolve.fitness.judged import SECONDS, Judged
from ontogeny.evolve.fitness.recipe import made_by
from ontogeny.evolve.spaces import Space
from ontogeny.isa.errors import SearchError
from ontogeny.record.experiment import Experiment
from ontogeny.record.run import Run
from ontogeny.record.temporary import temporary


@made_by("after_run", "steps", "seconds")
def after_run(
    experiment: Callable[[Any], Experiment], space: Space, steps: int, judge: Callable[[Run], float] | str = "loss",
    *, machine: str = "compiled", seconds: float | None = SECONDS,
) -> Judged[Any]:  # fmt: skip
    """Fitness after so many steps of learning: a metric of the last step by its name, or a function of the run.

    `experiment` makes one of a candidate, as for `ontogeny run`. `seconds` is the limit for each candidate.
    """
    if steps < 1:
        raise SearchError(f"{steps} steps of learning; expected 1 or more")

    def scores(candidates: Sequence[Any]) -> Sequence[float]:
        return [_judged(experiment(candidate), steps, judge, machine) for candidate in candidates]

    return Judged(scores, space, seconds, together=False)


def _judged(what: Experiment, steps: int, judge: Callable[[Run], float] | str, machine: str) -> float:
    setup = {"valid": dict(what.valid), "seed": what.seed, "dials": dict(what.dials), "machine": machine}
    with temporary(what.learner, what.data, **setup) as run:
        run.advance(steps)
        if not isinstance(judge, str):
            return judge(run)
        metrics = run.metrics(run.step)
        if judge not in metrics:
            raise SearchError(f"the run has no metric {judge!r}; it has {', '.join(metrics)}")
        return float(metrics[judge][-1])
