"""Islands: several searches of one method side by side, which now and then send their best to the next.

A generation is an epoch: every island goes `every` evaluations by itself, then each takes its neighbour's best where
that is better. An epoch's islands know nothing of one another, so they can be gone through anywhere at the same time,
and come to the same. Against a fitness that a method has no compiled way for, a generation is one of each island.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from ontogeny.evolve.fitness.tables import Fitness
from ontogeny.evolve.method import Asked, Best, Errors, Method, S
from ontogeny.evolve.spaces import Space
from ontogeny.isa.errors import SearchError

Candidate = TypeVar("Candidate")
Legs = Callable[[Method[Any, Any], Sequence[Any], Fitness[Any], int, bool], Sequence[Any]]


@dataclass(frozen=True, eq=False)
class Archipelago(Generic[S]):
    """The states of all islands."""

    islands: tuple[S, ...]

    @property
    def evaluations(self) -> int:
        """Of all islands together."""
        return sum(island.evaluations for island in self.islands)


@dataclass(frozen=True, eq=False)
class Asks(Asked[Candidate], Generic[Candidate]):
    """What all islands ask, one after the other."""

    parts: tuple[Asked[Candidate], ...] = field(default=())


def one_by_one(
    method: Method[Any, Any], states: Sequence[Any], fitness: Fitness[Any], most: int, until: bool
) -> Sequence[Any]:
    """The legs of all islands, here."""
    return [method.leg(state, fitness, most, until) for state in states]


@dataclass(frozen=True)
class Islands(Method[Candidate, Archipelago[S]], Generic[Candidate, S]):
    """The method of each island, how many there are, and the evaluations of each between two migrations."""

    DIALS: ClassVar[tuple[str, ...]] = ("every",)

    method: Method[Candidate, S]
    count: int = 4
    every: int = 20_000

    def __post_init__(self) -> None:
        if self.count < 1 or self.every < 1 or isinstance(self.method, Islands):
            raise SearchError(
                f"{self.count} islands, {self.every} evaluations each; expected 1 or more, of a plain method"
            )

    def begin(self, space: Space, seed: int) -> Archipelago[S]:
        """Every island from a seed of its own."""
        seeds = np.random.SeedSequence([seed % 2**64]).generate_state(self.count, np.uint64)
        return Archipelago(tuple(self.method.begin(space, int(one)) for one in seeds))

    def ask(self, state: Archipelago[S]) -> Asked[Candidate]:
        """The next generations of all."""
        parts = tuple(self.method.ask(island) for island in state.islands)
        candidates = [candidate for part in parts for candidate in part.candidates]
        return Asks(np.concatenate([part.genes for part in parts]), candidates, parts=parts)

    def tell(self, state: Archipelago[S], asked: Asked[Candidate], errors: Errors, goal: float = 0.0) -> Archipelago[S]:
        """Every island is told of its own; they migrate where an epoch ends."""
        assert isinstance(asked, Asks)
        cuts = np.cumsum([len(part.candidates) for part in asked.parts])[:-1]
        told = zip(state.islands, asked.parts, np.split(errors, cuts), strict=True)
        after = Archipelago(tuple(self.method.tell(island, part, own, goal) for island, part, own in told))
        epoch = self.every * self.count
        return self.migrated(after) if after.evaluations // epoch > state.evaluations // epoch else after

    def leg(self, state: Archipelago[S], fitness: Fitness[Candidate], most: int, until: bool) -> Archipelago[S] | None:
        """An epoch, whatever is asked for at most."""
        return self.epoch(state, fitness, until, one_by_one)

    def epoch(
        self, state: Archipelago[S], fitness: Fitness[Candidate], until: bool, legs: Legs
    ) -> Archipelago[S] | None:
        """An epoch by whoever does the legs; None where the method has none for this fitness."""
        gone = legs(self.method, state.islands, fitness, self.every, until)
        return None if any(island is None for island in gone) else self.migrated(Archipelago(tuple(gone)))

    def migrated(self, state: Archipelago[S]) -> Archipelago[S]:
        """Each with its neighbour's best where that is better, all at once."""
        neighbours = (*state.islands[-1:], *state.islands[:-1])
        pairs = zip(state.islands, neighbours, strict=True)
        return replace(state, islands=tuple(self.method.visited(island, other) for island, other in pairs))

    def best(self, state: Archipelago[S]) -> Best[Candidate]:
        """The best of all islands, the first of equals."""
        return min((self.method.best(island) for island in state.islands), key=lambda best: (*best.errors, best.size))

    def doubted(self, state: Archipelago[S]) -> Archipelago[S]:
        """All islands doubted."""
        return Archipelago(tuple(self.method.doubted(island) for island in state.islands))

    def turned(self, state: Archipelago[S]) -> Archipelago[S]:
        """All islands turned."""
        return Archipelago(tuple(self.method.turned(island) for island in state.islands))
