"""What a kind of finding is: its name, its meaning, and how it is looked for, at each step or by replay."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from ontogeny.ask.evidence import Evidence
from ontogeny.ask.finding import Finding
from ontogeny.ask.progress import Progress

NONE = -math.inf
"""The score of no sign at all."""


class Watch(Protocol):
    """Looks for one kind while steps are taken, in microseconds each."""

    def step(self, progress: Progress) -> float:
        """The score after one more step, NONE where there is no sign."""

    def finding(self, progress: Progress) -> Finding:
        """The finding as of the last step, whose score was not NONE."""


Look = Callable[[Evidence], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Kind:
    """`watch` makes what looks on step by step; `look` goes through evidence, replay among it, and may find several.

    A kind that is no `fault` is a state to know about. `look` raises `Silent` where the evidence is not to be had.
    """

    name: str
    meaning: str
    watch: Callable[[], Watch] | None = None
    look: Look | None = None
    fault: bool = True
