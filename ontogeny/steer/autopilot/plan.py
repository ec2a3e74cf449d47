"""What an autopilot is asked: how many steps it may take, towards which goal, and what it must leave alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.experiment import Goal

BUDGET = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(x|times)?\s*")
LEGS = 50
"""A run's length in legs, the shortest trial."""
LEAST = 10
"""Steps that a leg has at the least."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`length`: the steps that the run would take; `budget`: those that all forks together may."""

    length: int
    budget: int
    goal: Goal | None = None
    never: tuple[str, ...] = ()

    @staticmethod
    def of(budget: str, length: int, goal: str, never: str) -> Plan:
        """The plan that words say. Raises OntogenyError for words that say none."""
        match = BUDGET.fullmatch(budget)
        if match is None:
            raise OntogenyError(f"{budget!r} is no budget; write 3x, three times the run's steps, or a number of steps")
        if length < 1:
            raise OntogenyError("the run has taken no step yet, so say how many it would take: steps=1000")
        steps = int(float(match[1]) * (length if match[2] else 1))
        if steps < 4 * LEAST:
            raise OntogenyError(f"a budget of {steps} steps tries nothing; give at least {4 * LEAST}")
        words = tuple(word.strip() for word in never.split(",") if word.strip())
        return Plan(length, steps, Goal.parse(goal) if goal else None, words)

    @property
    def leg(self) -> int:
        """The steps of the shortest trial."""
        return max(min(LEAST, self.budget // 8), self.length // LEGS)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        goal = None if self.goal is None else str(self.goal)
        return {"length": self.length, "budget": self.budget, "goal": goal, "never": list(self.never)}
