"""The one driver of all searches: a method proposes, a fitness judges, until the budget is spent. Repeatable.

What is found is a pure function of method, fitness, seed and budget; only `seconds`, which ends a search early, looks
at a clock. What a method is says `method.py`; what a search is that is written down, `recorded.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

import numpy as np

from ontogeny.evolve.fitness.tables import Fitness
from ontogeny.evolve.method import Asked, Best, Errors, Method, State
from ontogeny.evolve.methods.islands import Islands
from ontogeny.evolve.workers import Workers, of_generation, working
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist

LEG = 20_000
"""Evaluations between two looks at the clock."""
Candidate = TypeVar("Candidate")
S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class Found(Generic[Candidate]):
    """The best candidate, and what it took. `solved_at`: the evaluations by which it was first right, or None.

    `front` has all that are worth a look, the best first: of several objectives the Pareto front.
    """

    best: Candidate
    errors: tuple[float, ...]
    evaluations: int
    solved_at: int | None
    seconds: float
    failures: tuple[str, ...] = ()
    size: int = 0
    front: tuple[Best[Candidate], ...] = ()

    @property
    def net(self) -> Candidate:
        """The best, as one says where candidates are netlists."""
        return self.best

    @property
    def error(self) -> float:
        """The first of its errors."""
        return self.errors[0]

    @property
    def solved(self) -> bool:
        """Whether its error is no more than the goal."""
        return self.solved_at is not None

    def __str__(self) -> str:
        state = f"solved at {self.solved_at:,}" if self.solved_at is not None else f"error {self.error:g}"
        size = f": {self.size} {'gates' if isinstance(self.best, Netlist) else 'long'}" if self.size else ""
        others = f", a front of {len(self.front)}" if len(self.front) > 1 else ""
        return f"{state} of {self.evaluations:,} evaluations in {self.seconds:.2f} s{size}{others}"


@dataclass(frozen=True, eq=False)
class Standing(Generic[S]):
    """Where a search stands: the method's state, and the evaluations by which it was solved."""

    state: S
    solved_at: int | None = None


@dataclass(frozen=True, eq=False)
class Search(Generic[Candidate, S]):
    """What holds while a search goes on: its method, fitness and budget. Raises SearchError for what makes no sense."""

    method: Method[Candidate, S]
    fitness: Fitness[Candidate]
    evaluations: int = 10_000_000
    prune: int = 0
    goal: float = 0.0
    workers: Workers | None = None

    def __post_init__(self) -> None:
        if self.evaluations < 1 or self.prune < 0:
            raise SearchError(f"{self.evaluations} evaluations, {self.prune} to prune; expected 1 or more, 0 or more")
        if not np.isfinite(self.goal):
            raise SearchError(f"a goal of {self.goal}; expected the error that is right, a finite number")

    def begin(self, seed: int) -> Standing[S]:
        """Where it begins."""
        return Standing(self.method.begin(self.fitness.space, seed))

    def end(self, standing: Standing[S]) -> int:
        """The evaluations at which it is over, as it looks now; several objectives are searched to the end."""
        if standing.solved_at is None or len(self.fitness.objectives) > 1:
            return self.evaluations
        return standing.solved_at + self.prune

    def over(self, standing: Standing[S]) -> bool:
        """Whether the budget is spent."""
        return standing.state.evaluations >= self.end(standing)

    def further(self, standing: Standing[S], most: int = LEG) -> Standing[S]:
        """One generation on, or a compiled leg of about as many evaluations as `most`; never past its end."""
        state, until = standing.state, standing.solved_at is None
        most = min(most, self.end(standing) - state.evaluations)
        gone = self._leg(state, most, until) if self.goal == 0 else None
        if gone is None:
            asked = self.method.ask(state)
            gone = self.method.tell(state, asked, self.judged(asked, state.evaluations), self.goal)
        solved = until and self.method.best(gone).error <= self.goal and self.best(gone).error <= self.goal
        return Standing(gone, gone.evaluations if solved else standing.solved_at)

    def best(self, state: S) -> Best[Candidate]:
        """The best so far; where generations were judged on batches, the best or the present one, judged on all."""
        best = self.method.best(state)
        if not hasattr(self.fitness, "at") or not np.isfinite(best.error):
            return best
        both = [best.candidate, self.method.present(state)]
        errors = np.asarray(self.fitness.errors(both), np.float64)
        return replace(best, candidate=both[int(errors.argmin())], errors=(float(errors.min()),))

    def _leg(self, state: S, most: int, until: bool) -> S | None:
        """A compiled leg, where the method has one for the fitness."""
        if self.workers is not None and isinstance(self.method, Islands):
            return cast("S | None", self.method.epoch(cast(Any, state), self.fitness, until, self.workers.legs))
        return self.method.leg(state, self.fitness, most, until)

    def judged(self, asked: Asked[Candidate], first: int = 0) -> Errors:
        """The errors of a generation, whose first has the number `first`; what is not a number has failed.

        Raises SearchError where there are more or fewer than candidates.
        """
        if self.workers is None:
            errors = np.asarray(of_generation(self.fitness, first).errors(asked.candidates), np.float64)
        else:
            errors = np.asarray(self.workers.errors(self.fitness, asked.candidates, first), np.float64)
        if not len(asked.candidates) or len(errors) != len(asked.candidates):
            raise SearchError(
                f"{len(errors)} errors of {len(asked.candidates)} candidates; expected one or more of each"
            )
        return np.where(np.isnan(errors), np.inf, errors)

    def found(self, standing: Standing[S], seconds: float = 0.0) -> Found[Candidate]:
        """What it has come to."""
        best, told = self.best(standing.state), tuple(self.fitness.failures)
        told += tuple(self.workers.failures) if self.workers is not None else ()
        front = (best,) if hasattr(self.fitness, "at") else tuple(self.method.front(standing.state))
        judged = standing.state.evaluations
        return Found(best.candidate, best.errors, judged, standing.solved_at, seconds, told, best.size, front)


def search(
    method: Method[Candidate, Any], fitness: Fitness[Candidate], *, seed: int = 0, evaluations: int = 10_000_000,
    prune: int = 0, goal: float = 0.0, seconds: float | None = None,
    progress: Callable[[Found[Candidate]], object] | None = None, workers: int = 1,
) -> Found[Candidate]:  # fmt: skip
    """Searches until an error is at most `goal` or the evaluations are spent; then `prune` more for fewer gates.

    `seconds` of wall clock end it early; `progress` is told of every leg; with `workers` processes a generation, or
    the islands of an epoch, are shared among them, to the same result. Raises SearchError for a budget below 1.
    """
    with working(workers) as several:
        going = Search(method, fitness, evaluations, prune, goal, several)
        return _searched(going, seed, seconds, progress)


def _searched(
    going: Search[Candidate, Any], seed: int, seconds: float | None,
    progress: Callable[[Found[Candidate]], object] | None,
) -> Found[Candidate]:  # fmt: skip
    started = time.perf_counter()
    standing = going.begin(seed)
    while not going.over(standing):
        standing = going.further(standing)
        spent = time.perf_counter() - started
        if progress is not None:
            progress(going.found(standing, spent))
        if seconds is not None and spent > seconds:
            break
    return going.found(standing, time.perf_counter() - started)
