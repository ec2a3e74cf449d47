"""What a command will take, by the step times that the run's own record tells, or else by a few steps taken anew."""

from __future__ import annotations

from contextlib import suppress

from ontogeny.ask.alternative import timed
from ontogeny.isa.cost import routine_cost
from ontogeny.isa.errors import OntogenyError
from ontogeny.record import kept
from ontogeny.record.attach.attached import Attached
from ontogeny.record.recorded import Recorded
from ontogeny.record.run import Run
from ontogeny.record.stepper import LEARN

LOOKED_AT = 4
"""Keyframes that are read for what was measured; one that an entry made it write at once tells nothing."""
SMALL = 1e8
"""Operations of a step up to which it is taken anew, where none was timed: a preview is to be had at once."""


def step_seconds(run: Recorded | Attached) -> float | None:
    """Seconds of a step with its recording, by the newest keyframes or by taking a few; None where neither will do.

    A program that has taken no step yet is taken to be as quick as the one before it.
    """
    if not isinstance(run, Recorded):
        return None
    one = kept.step_seconds(run.history, run.step, LOOKED_AT)
    if one is None:
        one = _timed(run) if run.before is None or run.step > run.base else step_seconds(run.before)
    return one


def _timed(run: Recorded) -> float | None:
    """Seconds of a step that is taken anew, where that takes no time to speak of; None where it does."""
    first = next((at for at, _ in run.history.keyframes(run.step) if at < run.step), None)
    if first is None or routine_cost(run.program, LEARN).total.operations > SMALL:
        return None
    with suppress(OntogenyError):  # nothing of it is needed
        return timed(run, first)
    return None


def seconds(run: Run | Attached, steps: int) -> float | None:
    """How long so many steps take, with what must be loaded first; None where a step's time is not to be had."""
    one = step_seconds(run)
    return None if one is None else (loading(run) or 0.0) + steps * one


def loading(run: Recorded | Attached) -> float | None:
    """How long it takes until this process can take a step of a run; None where that is no time to speak of."""
    if not isinstance(run, Recorded):
        return None
    return kept.loading_seconds(run.history, run.step, run.start["machine"]) or None


def replayed(run: Run, step: int) -> int:
    """Steps that are computed again for the state at a step; none for one that is yet to be reached."""
    if step > run.step:
        return 0
    source = run.as_of(step)
    if step == run.step and (run._seat.holder is run or run.parked is not None):
        return 0
    return step - next((at for at, _ in source.history.keyframes(step)), 0)
