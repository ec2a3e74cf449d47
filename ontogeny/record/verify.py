"""Does the record hold? Every step is computed again from the keyframe before it, and compared."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

from ontogeny.isa.errors import RecordError
from ontogeny.machine.base import Machine
from ontogeny.record.disk import RecordWarning
from ontogeny.record.history import History
from ontogeny.record.replay import to_step
from ontogeny.record.stepper import Stepper, view


@dataclass(frozen=True, slots=True)
class Difference:
    """A step whose recomputed state is not the recorded one, and the registers that differ."""

    step: int
    registers: tuple[str, ...]

    def __str__(self) -> str:
        return f"step {self.step} differs in {', '.join(self.registers) or 'some register'}"


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` found. After a difference it goes on from the next keyframe, so there may be several."""

    first: int
    last: int
    steps: int
    differences: tuple[Difference, ...]
    damage: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every step was computed again to the same bits, and every file is sound."""
        return not self.differences and not self.damage

    def __str__(self) -> str:
        if self.ok:
            return f"steps {self.first} to {self.last}: all {self.steps} replayed to the recorded bits"
        return f"steps {self.first} to {self.last}: " + "; ".join([*map(str, self.differences), *self.damage])


def verify(
    machine: Machine, history: History, stepper: Stepper, on_progress: Callable[[int], object] | None = None
) -> Report:
    """Checks a run's own part, from its base to its last step; `on_progress(step)` hears of each."""
    own = history.own
    first, last = own.first, own.end()
    damage = [f"the row of step {s} fails its checksum" for s in range(first + 1, last + 1) if not own.rows.sound(s)]
    sound = _sound_keyframes(history, damage)
    _check_first(history, damage)
    differences: list[Difference] = []
    count = 0
    at = _begin(machine, history, stepper, sound, damage)
    while at is not None and at < last:
        stepper.take(machine, at)
        at, count = at + 1, count + 1
        if on_progress is not None:
            on_progress(at)
        if found := _compare(machine, history, at):
            differences.append(found)
            at = _load_next(machine, history, sound, at)
    return Report(first, last, count, tuple(differences), tuple(damage))


def _check_first(history: History, damage: list[str]) -> None:
    """Makes the first state again where the program changed at it; what is wrong with it is added to `damage`."""
    if history.before is not None and history.own.first == history.first:
        try:
            history.made_again()
        except RecordError as error:
            damage.append(str(error))


def _compare(machine: Machine, history: History, step: int) -> Difference | None:
    recorded, row = history.hash_row(step), history.hasher.row(view(machine))
    if recorded is None or recorded[:8] == row[:8]:
        return None
    return Difference(step, history.hasher.differing(recorded, row))


def _sound_keyframes(history: History, damage: list[str]) -> list[int]:
    """The steps of the own keyframes that can be relied on; what is wrong with the others is added to `damage`."""
    sound = []
    for step in history.own.keyframes.steps():
        try:
            history.read_keyframe(step, history.own)
            sound.append(step)
        except RecordError as error:
            if history.own.keyframes.path(step).exists():  # else thinned out since it was listed
                damage.append(str(error))
    return sound


def _begin(machine: Machine, history: History, stepper: Stepper, sound: list[int], damage: list[str]) -> int | None:
    """Brings the machine to the base, or where that cannot be computed to the first keyframe after it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RecordWarning)
            to_step(machine, history, stepper, history.own.first)
        return history.own.first
    except RecordError as error:
        damage.append(str(error))
        return _load_next(machine, history, sound, history.own.first)


def _load_next(machine: Machine, history: History, sound: list[int], step: int) -> int | None:
    """Loads the first sound keyframe at or after a step; its step, or None where there is none."""
    later = next((k for k in sound if k >= step), None)
    if later is not None:
        machine.load(history.read_keyframe(later, history.own))
    return later
