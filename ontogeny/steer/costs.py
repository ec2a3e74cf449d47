"""What a command will take, by the step times that the run's own record tells."""

from __future__ import annotations

from ontogeny.record import kept
from ontogeny.record.attach.attached import Attached
from ontogeny.record.recorded import Recorded
from ontogeny.record.run import Run

LOOKED_AT = 4
"""Keyframes that are read for what was measured; one that an entry made it write at once tells nothing."""


def step_seconds(run: Recorded | Attached) -> float | None:
    """Seconds of a step with its recording, by the newest keyframes; None where none tells.

    A program that has taken no step yet is taken to be as quick as the one before it.
    """
    if not isinstance(run, Recorded):
        return None
    one = kept.step_seconds(run.history, run.step, LOOKED_AT)
    return step_seconds(run.before) if one is None and run.before is not None else one


def seconds(run: Run | Attached, steps: int) -> float | None:
    """How long so many steps take; None where no keyframe tells."""
    one = step_seconds(run)
    return None if one is None else steps * one


def replayed(run: Run, step: int) -> int:
    """Steps that are computed again for the state at a step; none for one that is yet to be reached."""
    if step > run.step:
        return 0
    source = run.as_of(step)
    if step == run.step and (run._seat.holder is run or run.parked is not None):
        return 0
    return step - next((at for at, _ in source.history.keyframes(step)), 0)
