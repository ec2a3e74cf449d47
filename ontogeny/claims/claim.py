"""What a claim is: a sentence, an experiment that gives figures for a seed, and what the sentence expects of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ontogeny.isa.errors import ClaimError

RELATIONS = (">=", "<=")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a claim says of one figure: on which side of a bound it lies. `words` says that to a person.

    `within` is what the figure can be at all, such as 0 to 1 for a share: its interval ends there.
    """

    figure: str
    relation: str
    bound: float
    words: str
    within: tuple[float, float] = (-math.inf, math.inf)

    def __post_init__(self) -> None:
        if self.relation not in RELATIONS:
            raise ClaimError(f"the relation {self.relation!r}; expected one of {', '.join(RELATIONS)}")


@dataclass(frozen=True, slots=True)
class Series:
    """A line of the claim's picture, measured with one seed: its points, and what the line is called."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one seed gave: figures by name, and the lines of the picture."""

    figures: Mapping[str, float]
    series: tuple[Series, ...] = ()


Measure = Callable[..., Measured]
"""The experiment with one seed: (seed, **given) -> Measured; what else it is given is its size."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of an experiment: its seeds, what it is given, and about how many CPU seconds a seed takes."""

    seeds: tuple[int, ...]
    seconds: float
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as an experiment.

    `how` says what is done, in two or three sentences; `quick` runs in the tests and seldom settles anything, `full`
    is what the verdict of the book goes by. An `exact` claim is no estimate from some seeds: each of them has to meet
    what is expected. `axes` are the labels of the picture's axes, (x, y), where the experiment gives lines;
    `logarithmic` says which of them ("x", "y", "xy") go by powers. `limits` says what the experiment cannot tell.
    """

    name: str
    sentence: str
    how: str
    measure: Measure
    expects: tuple[Expectation, ...]
    quick: Form
    full: Form
    limits: str = ""
    exact: bool = False
    axes: tuple[str, str] = ("", "")
    logarithmic: str = ""
    source: str = ""

    def form(self, full: bool) -> Form:
        """The full form, or the quick one."""
        return self.full if full else self.quick
