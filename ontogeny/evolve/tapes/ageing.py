"""Regularised evolution of tapes as AutoML-Zero does it (Real, Liang, So and Le 2020), compiled: the oldest die.

A child is the best of a tournament with a change, or, with the chance `kept`, as it is, and takes the place of the
oldest. After `restart` evaluations all begin again, as the published demo does one experiment after another, since a
population that is not right by then mostly never will be; only the best ever is kept.

Whole legs run compiled (`kernels.py`), and what a tape is worth is looked up where it is known: by its code
without the dead rows, or by the errors that it makes on the first examples. What is known is part of the state, so
that a search that was cut off goes on alike; a search by `ask` and `tell` knows nothing, and goes the same way unless
two tapes make the same errors first and others later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.fitness.tables import Fitness
from ontogeny.evolve.method import Asked, Best, Errors, Method, single
from ontogeny.evolve.methods.population import Population, alone
from ontogeny.evolve.spaces import Space, expected
from ontogeny.evolve.tapes import kernels
from ontogeny.evolve.tapes.candidates import Instructions, Learners, Learning
from ontogeny.isa.errors import SearchError
from ontogeny.machine.swarm.learners import desk, memory
from ontogeny.machine.swarm.learners_scoring import Memory
from ontogeny.machine.swarm.learners_tape import Tape

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bred:
    """Where it stands: the living in a ring, whose `oldest` is at that place, the best ever, and what is known.

    `errors` are NaN for what is not judged yet; `began` is how many were judged before this population. `keys`,
    `values` and `counts` are the memory: tapes judged, known by their code, known by their errors, stopped at the
    hurdle, and entries.
    """

    genes: Floats
    errors: Floats
    numbers: NDArray[np.int64]
    rng: NDArray[np.uint64]
    best: Floats
    least: Floats
    keys: NDArray[np.uint64]
    values: Floats
    counts: NDArray[np.int64]
    space: Learners
    oldest: int = 0
    evaluations: int = 0
    began: int = 0


@dataclass(frozen=True)
class TapeAgeing(Method[Tape, Bred]):
    """What tapes are made of, how many live, how many are drawn to a tournament, children at once, restarts, memory.

    `restart` is the evaluations after which the population begins anew, 0 for never. `memory` is the number of errors
    that have a place there, a power of two, of which half are used; 0 remembers nothing.
    """

    DIALS: ClassVar[tuple[str, ...]] = ("tournament", "offspring", "kept", "restart")

    genome: Instructions = field(default_factory=Instructions)
    population: int = 1000
    tournament: int = 10
    offspring: int = 1
    kept: float = 0.0
    restart: int = 400_000
    memory: int = 1 << 16

    def __post_init__(self) -> None:
        if min(self.population, self.tournament, self.offspring) < 1 or self.offspring > self.population:
            raise SearchError(
                f"a population of {self.population}, tournaments of {self.tournament}, {self.offspring} offspring; "
                "expected 1 or more of each, and no more offspring than live"
            )
        if self.restart < 0:
            raise SearchError(f"a restart after {self.restart} evaluations; expected 0 for never, or more")
        if self.memory < 0 or self.memory & (self.memory - 1) or not 0 <= self.kept <= 1:
            raise SearchError(
                f"a memory of {self.memory}, {self.kept} kept as they are; expected a power of two or 0, and 0 to 1"
            )

    def begin(self, space: Space, seed: int) -> Bred:
        """A population, not judged yet."""
        learners, rng = expected(space, Learners, "TapeAgeing"), np.array([seed % 2**64], np.uint64)
        genes = self.genome.draw(space, self.population, np.random.default_rng(seed % 2**64))
        none = memory(self.memory)
        numbers = np.full(self.population, -1)
        return Bred(genes, np.full(len(genes), np.nan), numbers, rng, genes[0], np.array([np.inf]), *none, learners)

    def ask(self, state: Bred) -> Asked[Tape]:
        """The children of one generation; first all that live and are not judged."""
        if (waiting := np.isnan(state.errors)).any():
            genes, parents = state.genes[waiting], np.full((int(waiting.sum()), 1), -1)
            return Asked(genes, self.genome.candidates(state.space, genes), parents, state.rng)
        rng, making = state.rng.copy(), self.genome.making(state.space)
        genes, parents = np.empty((self.offspring, *state.genes.shape[1:])), np.empty((self.offspring, 1), np.int64)
        for child, parent in zip(genes, parents, strict=True):
            at = kernels.breed(state.genes, state.errors, making, self.tournament, self.kept, rng, child)
            parent[:] = state.numbers[at]
        return Asked(genes, self.genome.candidates(state.space, genes), parents, rng)

    def tell(self, state: Bred, asked: Asked[Tape], errors: Errors, goal: float = 0.0) -> Bred:
        """The children take the places of the oldest."""
        found, count = single(errors, "TapeAgeing"), len(errors)
        waiting = np.isnan(state.errors)
        at = np.flatnonzero(waiting) if waiting.any() else (state.oldest + np.arange(count)) % len(state.genes)
        genes, kept, numbers = state.genes.copy(), state.errors.copy(), state.numbers.copy()
        genes[at], kept[at], numbers[at] = asked.genes, found, state.evaluations + np.arange(count)
        least = int(found.argmin())
        better = found[least] < state.least[0]
        after = replace(
            state, genes=genes, errors=kept, numbers=numbers, rng=asked.rng, evaluations=state.evaluations + count,
            oldest=state.oldest if waiting.any() else (state.oldest + count) % len(genes),
            best=asked.genes[least] if better else state.best,
            least=found[least : least + 1] if better else state.least,
        )  # fmt: skip
        return self._renewed(after)

    def leg(self, state: Bred, fitness: Fitness[Tape], most: int, until: bool) -> Bred | None:
        """Generations until `most` further evaluations, or the first right one, compiled."""
        if not isinstance(fitness, Learning) or np.isnan(state.errors).any():
            return None
        genes, errors, numbers = state.genes.copy(), state.errors.copy(), state.numbers.copy()
        rng, best, least = state.rng.copy(), state.best.copy(), state.least.copy()
        known = Memory(state.keys.copy(), state.values.copy(), state.counts.copy())
        banks, rows = state.space.banks, genes.shape[1]
        oldest, judged = kernels.leg(
            genes, errors, numbers, state.oldest, self.genome.making(state.space), self.tournament, self.kept,
            self.offspring, rng, np.empty((self.offspring, rows, 5)), best, least, fitness.enough, state.evaluations,
            self._before(state, most), until, desk(banks, rows, len(fitness.tasks)), fitness.tasks.on(banks), known,
        )  # fmt: skip
        done = state.evaluations + int(judged)
        return self._renewed(
            Bred(genes, errors, numbers, rng, best, least, *known, state.space, int(oldest), done, state.began)
        )

    def _before(self, state: Bred, most: int) -> int:
        """So many evaluations at most, and none after a restart."""
        return min(most, state.began + self.restart - state.evaluations) if self.restart else most

    def _renewed(self, state: Bred) -> Bred:
        """The state with a new population where it is time."""
        if not self.restart or state.evaluations < state.began + self.restart:
            return state
        genes = self.genome.draw(state.space, self.population, np.random.default_rng(state.rng))
        errors, numbers = np.full(self.population, np.nan), np.full(self.population, -1)
        return replace(state, genes=genes, errors=errors, numbers=numbers, oldest=0, began=state.evaluations)

    def best(self, state: Bred) -> Best[Tape]:
        """The best ever judged."""
        (found,) = self.genome.candidates(state.space, state.best[None])
        return Best(found, (float(state.least[0]),), len(found))

    def front(self, state: Bred) -> Sequence[Best[Tape]]:
        """The best alone."""
        return [self.best(state)]

    def sent(self, state: Bred) -> Population | None:
        """The best of those that live."""
        if np.isnan(state.errors).any():
            return None
        at = int(state.errors.argmin())
        return alone(state.genes[at], float(state.errors[at]), int(state.numbers[at]))

    def visited(self, state: Bred, guests: Population) -> Bred:
        """The guest in the place of the oldest, as the youngest."""
        if np.isnan(state.errors).any():
            return state
        genes, errors, numbers, at = state.genes.copy(), state.errors.copy(), state.numbers.copy(), state.oldest
        genes[at], errors[at], numbers[at] = guests.genes[0], guests.errors[0, 0], guests.numbers[0]
        best, least = state.best, state.least
        if errors[at] < least[0]:
            best, least = guests.genes[0], guests.errors[0]
        after = (at + 1) % len(genes)
        return replace(state, genes=genes, errors=errors, numbers=numbers, oldest=after, best=best, least=least)

    def doubted(self, state: Bred) -> Bred:
        """All that live are judged again; what was known is forgotten."""
        return replace(
            state, errors=np.full(len(state.errors), np.nan), least=np.array([np.inf]), keys=np.zeros_like(state.keys),
            values=np.zeros_like(state.values), counts=np.zeros_like(state.counts),
        )  # fmt: skip
