"""What a run's keyframes come to: their bytes, how far apart they stand, and how long the worst rewind takes."""

from __future__ import annotations

from dataclasses import dataclass

from ontogeny.record.history import History


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
    measured = next((told for at, part in found if (told := part.keyframes.measured(at))), {})
    seconds = measured.get("step_seconds")
    return Kept(
        len(sizes),
        sum(sizes.values()),
        int(measured["spacing"]) if "spacing" in measured else None,
        measured.get("recording_share"),
        worst,
        None if seconds is None else worst * seconds,
    )
