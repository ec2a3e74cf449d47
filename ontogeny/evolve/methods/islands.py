"""Islands: several searches of one method side by side, which now and then send some of theirs to the next.

A generation is an epoch: every island goes `every` evaluations by itself, then each is visited by those whom the one
before it sent: whom, and what becomes of guests, is the method's to say. An epoch's islands know nothing of one
another, so they can be gone through anywhere at the same time, and come to the same. Against a fitness that a method
has no compiled way for, a generation is one of each island.

Every island numbers its candidates from 0. A guest's number says the island that it was judged on as well (`home`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from ontogeny.evolve.fitness.tables import Fitness
from ontogeny.evolve.method import Asked, Best, Errors, Method, Numbers, S
from ontogeny.evolve.methods.population import Population
from ontogeny.evolve.spaces import Space
from ontogeny.isa.errors import SearchError

ABROAD = 1 << 40
"""A number from here on is of a candidate that was judged on another island."""
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


def home(number: int, island: int) -> tuple[int, int]:
    """The island where a candidate was judged, and its number there, of a number that is told on an island."""
    return (number // ABROAD - 1, number % ABROAD) if number >= ABROAD else (island, number)


def _abroad(numbers: Numbers, before: int, after: int) -> Numbers:
    """The numbers of guests from one island, as they are told on another."""
    told = np.where((numbers >= 0) & (numbers < ABROAD), numbers + ABROAD * (before + 1), numbers)
    return np.where(told // ABROAD == after + 1, told % ABROAD, told)


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
        if getattr(type(self.method), "sent", Method.sent) is Method.sent:
            raise SearchError(
                f"{type(self.method).__name__} keeps no candidates that could go from one island to the next, so there "
                "are no islands of it; search with it alone, from several seeds"
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
        """Each visited by those whom the one before it sends, all at once."""
        if self.count == 1:
            return state
        sent = [self.method.sent(island) for island in state.islands]
        return replace(
            state, islands=tuple(self._visited(island, at, sent[at - 1]) for at, island in enumerate(state.islands))
        )

    def _visited(self, state: S, at: int, guests: Population | None) -> S:
        if guests is None:
            return state
        before = (at - 1) % self.count
        return self.method.visited(state, replace(guests, numbers=_abroad(guests.numbers, before, at)))

    def best(self, state: Archipelago[S]) -> Best[Candidate]:
        """The best of all islands, the first of equals."""
        return min((self.method.best(island) for island in state.islands), key=lambda best: (*best.errors, best.size))

    def present(self, state: Archipelago[S]) -> Candidate:
        """That of the island with the best."""
        return self.method.present(min(state.islands, key=lambda island: self.method.best(island).errors))

    def front(self, state: Archipelago[S]) -> Sequence[Best[Candidate]]:
        """All that are worth a look of all islands together."""
        whole = self.method.together(state.islands)
        return [self.best(state)] if whole is None else self.method.front(whole)

    def doubted(self, state: Archipelago[S]) -> Archipelago[S]:
        """All islands doubted."""
        return Archipelago(tuple(self.method.doubted(island) for island in state.islands))

    def turned(self, state: Archipelago[S]) -> Archipelago[S]:
        """All islands turned."""
        return Archipelago(tuple(self.method.turned(island) for island in state.islands))
