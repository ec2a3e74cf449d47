"""Which instruction, and which example, made a step's values non-finite.

The step is gone through on the run's own machine, or as nearly as can be. What came out non-finite is followed back
through its operands to an instruction whose operands were finite; where that calls a routine, the first such
instruction inside it is named. A constant infinity, as masks have, is meant so. Not known here: what overflows only in
the order in which the fast mode sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ontogeny.data.base import Array, Data
from ontogeny.isa import attrs
from ontogeny.isa.errors import RecordError
from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Instr, Routine
from ontogeny.machine.conditions import nonfinite
from ontogeny.machine.debugger import Debugger, line_of
from ontogeny.machine.reference import Frame
from ontogeny.record.recorded import Recorded
from ontogeny.record.steps import Steps


class NonfiniteError(RecordError):
    """A run's values turned non-finite; `finding` says where. The run is recorded up to that step."""

    def __init__(self, message: str, finding: Finding | None = None) -> None:
        super().__init__(message)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Finding:
    """Where non-finite values began: the step from state `step` on, the instruction counted from one, the user's line.

    `example` is the number of the example in the data, None where the value does not have one row per example.
    """

    step: int
    routine: str
    number: int
    text: str
    where: str
    example: int | None

    def __str__(self) -> str:
        line = f", from {self.where}" if self.where else ""
        example = f", first at example {self.example} of the data" if self.example is not None else ""
        return f"step {self.step}, routine {self.routine}, instruction {self.number}: {self.text}{line}{example}"


def blame(run: Recorded, step: int) -> Finding:
    """Where the non-finite values of the step from state `step` began; in an earlier step where they began there.

    Raises RecordError where neither its results nor what it commits are non-finite when it is gone through.
    """
    run = run.as_of(step)
    steps = Steps(run)
    while step > run.history.first and any(map(nonfinite, steps.state(step).values())):
        step -= 1
    state = steps.state(step)
    debugger = Debugger(lambda: steps.begin(step, state))
    frame = debugger.outermost
    debugger.to_end()
    guilty = _origin(frame)
    if guilty is None:
        raise RecordError(f"step {step} makes no non-finite value when it is gone through")
    if guilty.op.group is Group.CONTROL:
        debugger.restart()
        frame, guilty = _inside(debugger, guilty) or (frame, guilty)
    return _finding(run._stepper.examples(step), step, frame, guilty)


def turned(run: Recorded) -> None:
    """Raises NonfiniteError, with the finding, where the last step's metrics turned non-finite."""
    step = run.step - 1
    if step > 0 and not _all_finite(run, step):
        return
    try:
        finding = blame(run, step)
    except RecordError as error:
        raise NonfiniteError(f"a metric is not finite after step {step}, but {error}") from error
    raise NonfiniteError(f"values turned non-finite at {finding}; fork before it: `ontogeny fork`", finding)


def _all_finite(run: Recorded, step: int) -> bool:
    metrics = run.metrics(step, step)
    return all(bool(np.isfinite(values).all()) for values in metrics.values())


def _origin(frame: Frame) -> Instr | None:
    """The instruction that a non-finite result, or else a commit, goes back to."""
    makers = {out: instr for instr in frame.routine.body for out in instr.out}
    excused = _excused(frame)
    bad = (name for name in _outcomes(frame.routine) if nonfinite(frame.values[name]) and name not in excused)
    name = next(bad, None)
    while name is not None and name in makers:
        maker = makers[name]
        guilty = [arg for arg in maker.args if nonfinite(frame.values[arg]) and arg not in excused]
        if not guilty:
            return maker
        name = next((arg for arg in guilty if _has_nan(frame.values[arg])), guilty[0])
    return None


def _outcomes(routine: Routine) -> Iterator[str]:
    yield from (value for _, value in routine.returns)
    yield from (instr.args[0] for instr in routine.body if instr.op is Op.COMMIT)


def _excused(frame: Frame) -> set[str]:
    """Values that are infinite only because a constant is."""
    excused: set[str] = set()
    for instr in frame.routine.body:
        bad = [arg for arg in instr.args if nonfinite(frame.values[arg])]
        if instr.op is Op.CONST or (bad and excused.issuperset(bad)):
            made = (out for out in instr.out if nonfinite(frame.values[out]))
            excused.update(out for out in made if not _has_nan(frame.values[out]))
    return excused


def _inside(debugger: Debugger, call: Instr) -> tuple[Frame, Instr] | None:
    """The first instruction under a call that makes non-finite out of finite; macros count as one instruction."""
    while not debugger.finished:
        debugger.next() if _at_macro(debugger) else debugger.step()
        for frame, instr in debugger.made:
            if instr is call:
                return None
            if frame is not debugger.outermost and _makes(frame, instr):
                return frame, instr
    return None


def _at_macro(debugger: Debugger) -> bool:
    instr = debugger.frame().instruction
    return instr is not None and instr.op.is_macro


def _makes(frame: Frame, instr: Instr) -> bool:
    if instr.op is Op.CONST or any(nonfinite(frame.values[arg]) for arg in instr.args):
        return False
    return any(nonfinite(frame.values[out]) for out in instr.out)


def _has_nan(value: Array) -> bool:
    return bool(np.isnan(value.astype(np.float32) if value.dtype.name == "bfloat16" else value).any())


def _finding(data: Data, step: int, frame: Frame, instr: Instr) -> Finding:
    number = next(place for place, one in enumerate(frame.routine.body, 1) if one is instr)
    value = next(frame.values[out] for out in instr.out if nonfinite(frame.values[out]))
    example = None if _is_kept(data, step, instr) else _example(data, step, value)
    return Finding(step, frame.routine.name, number, line_of(instr, number).text, instr.note.where, example)


def _is_kept(data: Data, step: int, instr: Instr) -> bool:
    """Whether the value is a register's or an update's, whose rows are no examples even where they are as many."""
    return instr.note.phase == "update" or (instr.op is Op.READ and attrs.text(instr, "name") not in data.batch(step))


def _example(data: Data, step: int, value: Array) -> int | None:
    """The example that the first non-finite element belongs to, where the leading dimension counts the batch."""
    indices = getattr(data, "indices", None)
    if indices is None or value.ndim == 0:
        return None
    chosen = np.asarray(indices(step))
    if len(chosen) != value.shape[0]:
        return None
    wide = value.astype(np.float64)
    return int(chosen[int(np.argwhere(~np.isfinite(wide))[0][0])])
