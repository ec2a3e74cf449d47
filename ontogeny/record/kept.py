"""What a run's keyframes come to: their bytes, how far apart they stand, and how long the worst rewind takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from ontogeny.record.history import History
from ontogeny.record.machines import is_loaded

LOADING = 3.0
"""Seconds that loading torch is taken to need where no record tells: 1.5 on a quiet machine, 6.5 on a busy one."""
LOOKED_AT = 8
"""Keyframes that are read for it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Of the keyframes in a run's own folder: how many, their bytes, and the spacing that the last one was written at.

    `worst_steps`: the most steps that going to any recorded step replays, from the keyframes of the whole lineage.
    `worst_seconds`: how long that takes by the step time that was measured last; like `recording_share` and `spacing`
    None where no keyframe tells, as in a run that has only just begun.
    """

    count: int
    bytes: int
    spacing: int | None
    recording_share: float | None
    worst_steps: int
    worst_seconds: float | None


def kept(history: History, step: int) -> Kept:
    """The keyframes of a run that has come to `step`, as they lie in its folders now."""
    found = list(history.keyframes(step))
    ends = [step + 1, *(at for at, _ in found)]
    worst = max((end - 1 - at for end, (at, _) in zip(ends, found, strict=False)), default=0)
    if history.before is not None:
        worst = max(worst, kept(history.before, history.first).worst_steps)
    sizes = history.own.keyframes.sizes()
    told = next((one for one in measured(history, step) if one), {})
    seconds = told.get("step_seconds")
    return Kept(
        len(sizes),
        sum(sizes.values()),
        int(told["spacing"]) if "spacing" in told else None,
        told.get("recording_share"),
        worst,
        None if seconds is None else worst * seconds,
    )


def measured(history: History, step: int) -> Iterator[Mapping[str, float]]:
    """What was measured when each keyframe at or before a step was written, by the present program, latest first."""
    return (part.keyframes.measured(at) for at, part in history.keyframes(step))


def loading_seconds(history: History, step: int, machine: str) -> float:
    """Seconds until a process that has taken no step can take one: loading torch, for a machine that is made of it.

    By the latest keyframe that tells, else LOADING; nothing where this process has loaded it. Making the machine of a
    program itself took less than a hundredth of a second.
    """
    if is_loaded(machine):
        return 0.0
    told = (one.get("loading_seconds") for one in islice(measured(history, step), LOOKED_AT))
    return next((seconds for seconds in told if seconds), LOADING)


def step_seconds(history: History, step: int, most: int | None = None) -> float | None:
    """Seconds of a step with its recording, by the latest keyframe that tells; None where none of `most` does."""
    told = (one.get("step_seconds") for one in islice(measured(history, step), most))
    return next((seconds for seconds in told if seconds), None)
