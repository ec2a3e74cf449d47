"""What a person writes in a file to be run: a learner, its data, and how to go about it.

A file that `ontogeny run FILE.py` runs holds a function `experiment(...)` that returns an `Experiment`. Its arguments,
if it has any, can be set on the command line as NAME=VALUE; one without a default has to be.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ontogeny.data.base import Array, Data
from ontogeny.isa.errors import DataError
from ontogeny.machine.learner import Learner

GOAL = re.compile(r"\s*([\w.]+)\s*(<=|>=|<|>)\s*([-+0-9.eE]+)\s*")


@dataclass(frozen=True, slots=True)
class Goal:
    """A metric, one of <, <=, > and >=, and a bound: `Goal.parse("valid.accuracy >= 0.99")`."""

    metric: str
    relation: str
    bound: float

    @staticmethod
    def parse(text: str) -> Goal:
        """The goal that a text says. Raises DataError for any other form."""
        if match := GOAL.fullmatch(text):
            metric, relation, bound = match.groups()
            try:
                return Goal(metric, relation, float(bound))
            except ValueError:
                pass
        raise DataError(f"{text!r} is not a goal; write a metric, a relation and a number: valid.accuracy >= 0.99")

    def met(self, metrics: Mapping[str, float]) -> bool:
        """Whether the metrics hold the one named, and it is within the bound."""
        value = metrics.get(self.metric, math.nan)
        return {
            "<": value < self.bound,
            "<=": value <= self.bound,
            ">": value > self.bound,
            ">=": value >= self.bound,
        }[self.relation]

    def __str__(self) -> str:
        return f"{self.metric} {self.relation} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Experiment:
    """All that a run starts from.

    `valid` holds the inputs of the learner's `evaluate` routine (such as `valid.x`), given once; `dials` replace the
    program's defaults; `evaluate_every` counts steps, 0 for never; a run that is `until` a goal stops when it is met.
    None for either mapping is an empty one.
    """

    learner: Learner
    data: Data
    valid: Mapping[str, Array] = field(default_factory=dict)
    dials: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    evaluate_every: int = 10
    until: Goal | None = None
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "valid", self.valid or {})
        object.__setattr__(self, "dials", self.dials or {})
