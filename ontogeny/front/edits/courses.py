"""Edits by names of their own: rules that come with a course of their rate, the catapults, which begin very large and
are cooled; and single edits with arguments that are usual (`USUAL`).

What they are for, and where their numbers were found, `train/regimes/catapult.py` and `muon_catapult.py` say; the
numbers stand here, so that a run may be put on such a course while it trains (`rule catapult`), from any step on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ontogeny.isa.errors import EditError

Change = tuple[str, Mapping[str, Any]]
"""An edit by its name, and its arguments."""


@dataclass(frozen=True, slots=True)
class Course:
    """A rule by its name, the values of its dials, and from which step to which it is cooled, to what share."""

    rule: str
    dials: Mapping[str, float]
    cool: tuple[int, int]
    floor: float

    def edits(self, start: int = 0, given: Mapping[str, float] | None = None) -> tuple[Change, ...]:
        """The edits that put a program on it from a step on, with other values of some dials."""
        first, last = self.cool
        options = {**self.dials, **(given or {})}
        curve = {"shape": "cosine", "start": start + first, "steps": start + last, "floor": self.floor}
        return (("rule", {"to": self.rule, "options": options, "since": start}), ("schedule", curve))


CATAPULT = Course("adamw", {"lr": 1.4e-2, "weight_decay": 1.0, "beta1": 0.8, "beta2": 0.95}, (100, 250), 0.2)
MUON_CATAPULT = Course("muon", {"lr": 0.25, "weight_decay": 0.2, "momentum": 0.6, "adam_lr": 2e-2}, (30, 100), 0.2)
COURSES: Mapping[str, Course] = {"catapult": CATAPULT, "muon_catapult": MUON_CATAPULT}

USUAL: Mapping[str, Change] = {
    "grokfast": ("smooth", {}),
    "bursts": ("schedule", {"shape": "bursts", "steps": 50, "length": 5, "height": 3.0}),
    "cycles": ("schedule", {"shape": "cycles", "steps": 50}),
    "warmup": ("schedule", {"shape": "warmup", "steps": 20}),
}
"""What is known by a name of its own and is an edit with some arguments, others of which may be given."""


def course_edits(name: str, start: int, given: Mapping[str, Any]) -> tuple[Change, ...]:
    """The edits of a course by its name, from a step on; EditError for what is given and is no number."""
    if wrong := [one for one, value in given.items() if isinstance(value, bool) or not isinstance(value, int | float)]:
        raise EditError(f"{name}: {wrong[0]}={given[wrong[0]]!r} is no number; it takes values of the rule's dials")
    return COURSES[name].edits(start, {one: float(value) for one, value in given.items()})
