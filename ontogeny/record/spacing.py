"""How far apart keyframes stand: as was asked, or by a budget of bytes and time and the measured times of the steps.

Keyframes are a cache, so that the choice may follow the clock, which what a run means never does. The budget stands in
the journal, since a person set it; the spacing that came of it only in the keyframes themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ontogeny.isa.errors import RecordError

BYTES = 2 << 30
SHARE = 0.05
SECONDS = 1.0
LEAST_ROOM = 0.2
"""What part of the share is keyframes' at least, where hashing alone takes nearly all of it."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What keyframes may cost.

    `every`: steps from one to the next; None lets measuring choose. `bytes`: of all in a run's own folder, None for no
    bound; the one being written may go past it, and the first, the newest, and those that forks hang on always stay.
    `share`: of a step's time, that hashing and keyframes together may take. `seconds`: that a rewind may take, as far
    as bytes and share allow.
    """

    every: int | None = None
    bytes: int | None = BYTES
    share: float = SHARE
    seconds: float = SECONDS

    def check(self) -> None:
        """Raises RecordError for a budget that nothing can keep to."""
        if self.every is not None and self.every < 1:
            raise RecordError(f"keyframe_every must be at least 1, or None to be chosen by measuring; not {self.every}")
        if self.bytes is not None and self.bytes < 1:
            raise RecordError(f"keyframe_bytes must be at least 1, or None for a default; not {self.bytes}")
        if not 0 < self.share <= 1 or not self.seconds > 0:
            raise RecordError(
                f"recording_share must be in (0, 1] and rewind_seconds positive; not {self.share} and {self.seconds}"
            )

    def as_content(self) -> dict[str, Any]:
        """The budget as a journal keeps it."""
        return asdict(self)

    @staticmethod
    def asked(every: int | None, size: int | None, share: float, seconds: float) -> Budget:
        """The budget that arguments say: bytes are bounded by default where the spacing is not given by hand."""
        return Budget(every, BYTES if size is None and every is None else size, share, seconds)

    @staticmethod
    def of(start: Mapping[str, Any]) -> Budget:
        """The budget in a journal's first entry; in older ones only the spacing stands."""
        return Budget(**start["keyframes"]) if "keyframes" in start else Budget(start["keyframe_every"], None)


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of a step, of recording one (its hash and rows), and of one keyframe; the bytes of one. 0: not known."""

    step: float
    recording: float
    keyframe: float = 0.0
    bytes: int = 0

    def share(self, spacing: int) -> float:
        """The share of a step's time that recording takes with keyframes so far apart."""
        return (self.recording + self.keyframe / spacing) / self.step if self.step else 0.0


def spacing(budget: Budget, measured: Measured, grown: int) -> int:
    """Steps from one keyframe to the next where none were given, a power of two; the folder holds `grown` steps.

    As far apart as a rewind may take; further where keyframes would take more than their share, or not fit.
    """
    found = power_below(budget.seconds / max(measured.step + measured.recording, 1e-9))
    room = max(budget.share * measured.step - measured.recording, LEAST_ROOM * budget.share * measured.step)
    if measured.keyframe and room > 0:
        found = max(found, power_above(measured.keyframe / room))
    if budget.bytes is not None and measured.bytes:
        found = max(found, power_below(grown / max(1, budget.bytes // measured.bytes)))
    return found


def power_below(value: float) -> int:
    """The largest power of two that is at most `value`; 1 below that."""
    return 1 << max(0, int(value).bit_length() - 1)


def power_above(value: float) -> int:
    """The smallest power of two that is at least `value`."""
    below = power_below(value)
    return below if below >= value else 2 * below
