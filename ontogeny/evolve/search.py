"""The one driver of all searches: a method proposes, a fitness judges, until the budget is spent. Repeatable.

What is found is a pure function of method, fitness, seed and budget; only `seconds`, which ends a search early, looks
at a clock. A method is `begin`, `ask`, `tell` and `net`; one that has `leg` judges truth tables by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ontogeny.evolve.cgp import CGP, Parent
from ontogeny.evolve.fitness import Fitness, Table
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist

LEG = 20_000
"""Evaluations between two looks at the clock."""


@dataclass(frozen=True)
class Found:
    """The best candidate, and what it took. `solved_at`: the evaluations by which it was first right, or None."""

    net: Netlist
    error: float
    evaluations: int
    solved_at: int | None
    seconds: float
    failures: tuple[str, ...]

    @property
    def solved(self) -> bool:
        """Whether its error is no more than the goal."""
        return self.solved_at is not None

    def __str__(self) -> str:
        state = f"solved at {self.solved_at:,}" if self.solved_at is not None else f"error {self.error:g}"
        return f"{state} of {self.evaluations:,} evaluations in {self.seconds:.2f} s: {self.net.gates} gates"


@dataclass(frozen=True)
class Search:
    """A search under way: its method, fitness and budget."""

    method: CGP
    fitness: Fitness
    evaluations: int
    prune: int
    goal: float

    def further(self, parent: Parent, solved_at: int | None) -> Parent:
        """One leg or one generation on."""
        end = self.evaluations if solved_at is None else solved_at + self.prune
        if isinstance(self.fitness, Table):
            return self.method.leg(parent, self.fitness, min(LEG, end - parent.evaluations), solved_at is None)
        asked = self.method.ask(parent)
        return self.method.tell(parent, asked, self.fitness.errors(asked.nets), self.goal)

    def over(self, parent: Parent, solved_at: int | None) -> bool:
        """Whether the budget is spent."""
        return parent.evaluations >= (self.evaluations if solved_at is None else solved_at + self.prune)


def search(
    method: CGP, fitness: Fitness, *, seed: int = 0, evaluations: int = 10_000_000, prune: int = 0, goal: float = 0.0,
    seconds: float | None = None, progress: Callable[[Found], object] | None = None,
) -> Found:  # fmt: skip
    """Searches until an error is at most `goal` or the evaluations are spent; then `prune` more for fewer gates.

    `seconds` of wall clock end it early; `progress` is told of every leg. Raises NetlistError for a budget below 1.
    """
    if evaluations < 1 or prune < 0 or (isinstance(fitness, Table) and goal != 0):
        raise NetlistError(
            f"{evaluations} evaluations, {prune} to prune, goal {goal}; expected 1 or more, 0 or more; 0 for a table"
        )
    run = Search(method, fitness, evaluations, prune, goal)
    parent, solved_at, started = method.begin(fitness.inputs, fitness.outputs, seed), None, time.perf_counter()

    def found() -> Found:
        error = float("inf") if parent.error is None else parent.error
        failures: Sequence[str] = fitness.failures
        spent = time.perf_counter() - started
        return Found(method.net(parent), error, parent.evaluations, solved_at, spent, tuple(failures))

    while not run.over(parent, solved_at):
        parent = run.further(parent, solved_at)
        if solved_at is None and parent.error is not None and parent.error <= goal:
            solved_at = parent.evaluations
        if progress is not None:
            progress(found())
        if seconds is not None and time.perf_counter() - started > seconds:
            break
    return found()
