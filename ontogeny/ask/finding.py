"""What a diagnosis says: findings with their evidence and remedies, all plain frozen data.

A finding's `sureness` is the share of simulated runs with as strong a sign in which the fault was really there
(`ask/sureness.py`); what is counted exactly is sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

HEALTHY = "healthy"
"""What a diagnosis with no fault is called."""


@dataclass(frozen=True, slots=True)
class Series:
    """A named line of evidence, to be drawn: a value at each of some steps."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What is usually done: in words, and as a command of steering by its name with its arguments, as data.

    Every face takes it as it is: `alter` with `{"how": "reset", "tensors": [...]}`, `leave-out` with `{"examples":
    "3,17"}`. Both are empty where the loop or the model itself has to be mended by hand.
    """

    words: str
    command: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: its standard name, and from which state on.

    `found` is the step whose result told it, so that `found` - `since` is how long it went unseen; `until` the step at
    which it was over, None where it still holds. `before` is the last state looked at that shows nothing of it; None:
    `since` is such a state itself, as in all that is told of steps. `score` is how far the sign lies beyond where it is
    as likely as not. `units` are the positions in a layer's output, `examples` the numbers in the training data, the
    most telling first.
    """

    name: str
    since: int
    sureness: float
    words: str
    found: int = 0
    before: int | None = None
    until: int | None = None
    score: float = 0.0
    fault: bool = True
    evidence: tuple[Series, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    remedies: tuple[Remedy, ...] = ()
    tensors: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    examples: tuple[int, ...] = ()

    @property
    def sound(self) -> int:
        """The state to go back to."""
        return self.since if self.before is None else self.before

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Diagnosis:
    """What was found of a run up to its state `step`, the surest first.

    `silent` are the kinds that could not be looked for, each with the reason; `sampled` the states looked into.
    """

    step: int
    findings: tuple[Finding, ...]
    silent: Mapping[str, str] = field(default_factory=dict)
    sampled: tuple[int, ...] = ()
    looked_for: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that are faults and are not over."""
        return tuple(finding for finding in self.findings if finding.fault and finding.until is None)

    @property
    def healthy(self) -> bool:
        """Whether there is no fault now. It says nothing about what is `silent`."""
        return not self.faults

    def of(self, name: str) -> Finding | None:
        """The finding of a name, or None."""
        return next((finding for finding in self.findings if finding.name == name), None)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "step": self.step,
            "healthy": self.healthy,
            "findings": [finding.as_json() for finding in self.findings],
            "silent": dict(self.silent),
            "sampled": list(self.sampled),
            "looked_for": list(self.looked_for),
        }


def series(name: str, steps: Iterable[float], values: Iterable[float]) -> Series:
    """A line of evidence from any numbers."""
    return Series(name, tuple(int(step) for step in steps), tuple(float(value) for value in values))
