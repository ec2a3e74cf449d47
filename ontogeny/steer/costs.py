"""What a command will take, by the step times that the run's own record tells."""

from __future__ import annotations

from ontogeny.record.attach.attached import Attached
from ontogeny.record.run import Run


def step_seconds(run: Run | Attached) -> float | None:
    """Seconds of a step with its recording, by the newest keyframe that tells; None where none does."""
    if not isinstance(run, Run):
        return None
    told = (part.keyframes.measured(at).get("step_seconds") for at, part in run.history.keyframes(run.step))
    return next((seconds for seconds in told if seconds), None)


def seconds(run: Run | Attached, steps: int) -> float | None:
    """How long so many steps take; None where no keyframe tells."""
    one = step_seconds(run)
    return None if one is None else steps * one


def replayed(run: Run, step: int) -> int:
    """Steps that are computed again for the state at a step."""
    source = run.as_of(step)
    if step == run.step and (run._seat.holder is run or run.parked is not None):
        return 0
    return step - next((at for at, _ in source.history.keyframes(step)), 0)
