"""Keeps a run's keyframes while it grows: measures its steps, writes a keyframe where one is due, thins the older ones.

Killed at any moment it leaves a run that opens: a keyframe appears whole, and one is dropped only after the next one is
written, and only where the one before it is sound, from which replay makes its steps again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from statistics import median

from ontogeny.data.base import Array
from ontogeny.record.history import Part
from ontogeny.record.machines import LOADED
from ontogeny.record.spacing import Budget, Measured, spacing
from ontogeny.record.thinning import dispensable

SOON = 4
WINDOW = 32


class Keeper:
    """The keyframes of the part that grows. The loop says what each step `took`, and asks at `due`."""

    def __init__(self, part: Part, budget: Budget, step: int) -> None:
        self._part = part
        self._budget = budget
        self._sizes = part.keyframes.sizes()
        self._last = max(self._sizes, default=part.first)
        self._steps: deque[float] = deque(maxlen=WINDOW)
        self._recordings: deque[float] = deque(maxlen=WINDOW)
        self._costs: deque[float] = deque(maxlen=SOON)
        self.due = self._next(step)

    def took(self, step: float, recording: float) -> None:
        """Seconds that a step took, and its hash and rows."""
        self._steps.append(step)
        self._recordings.append(recording)

    def wanted(self, step: int) -> bool:
        """Whether a keyframe belongs here: at a multiple of the spacing, or that many steps after the last one."""
        every = self._spacing(step)
        found = step % every == 0 or step - self._last >= every
        if not found:
            self.due = self._next(step)
        return found and step > self._last

    def keep(self, step: int, state: Mapping[str, Array], hash_row: bytes, entries: Sequence[int]) -> None:
        """Writes the keyframe of a step and thins the older ones; `entries`: the steps of the journal's, in order."""
        started = time.perf_counter()
        self._sizes[step] = self._part.keyframes.write(step, state, hash_row, self._said(step))
        self._last = step
        self.thin(entries)
        self._costs.append(time.perf_counter() - started)
        self.due = self._next(step)

    def thin(self, entries: Sequence[int]) -> None:
        """Drops keyframes until they take no more than the budget; at once too where a killed process left one more."""
        budget = self._budget.bytes
        if budget is None or sum(self._sizes.values()) <= budget:
            return
        keyframes, held = self._part.keyframes, self._part.keyframes.held()
        while sum(self._sizes.values()) > budget:
            steps = sorted(self._sizes)
            for step in dispensable(steps, held, entries):
                if keyframes.sound(steps[steps.index(step) - 1]):
                    break
            else:
                return
            keyframes.drop(step)
            del self._sizes[step]

    def _spacing(self, step: int) -> int:
        return self._budget.every or spacing(self._budget, self._measured(), step - self._part.first)

    def _measured(self) -> Measured:
        step, recording, keyframe = map(_median, (self._steps, self._recordings, self._costs))
        return Measured(step, recording, keyframe, self._sizes.get(self._last, 0))

    def _said(self, step: int) -> dict[str, float]:
        """What the header of a keyframe says for people."""
        measured, every = self._measured(), self._spacing(step)
        return {
            "spacing": every,
            "step_seconds": float(f"{measured.step + measured.recording:.4g}"),
            "recording_share": float(f"{measured.share(every):.4g}"),
            **({"loading_seconds": float(f"{sum(LOADED.values()):.4g}")} if LOADED else {}),
        }

    def _next(self, step: int) -> int:
        """When to ask again: at the next multiple of the spacing, sooner while little has been measured."""
        if self._budget.every is not None:
            return (step // self._budget.every + 1) * self._budget.every
        soon = step + max(SOON, step - self._last)
        if not self._steps:
            return soon
        every = self._spacing(step)
        return min((step // every + 1) * every, soon)


def _median(seconds: Collection[float]) -> float:
    return median(seconds) if seconds else 0.0
