"""Evolution strategies about a centre: pairs of opposite changes, judged by rank, give a gradient, which Adam follows.

Salimans et al. 2017, arXiv 1703.03864; Adam by Kingma and Ba 2015. A generation is the centre itself and its pairs; how
they are drawn and added up is what the strategies differ in. The best is the best ever judged, mostly a centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ontogeny.evolve.method import Asked, Best, Errors, Method, chance, single
from ontogeny.evolve.methods.population import Population, alone
from ontogeny.evolve.spaces import Space, Vectors, expected
from ontogeny.evolve.weights.candidates import Flat, Vector, initial, within
from ontogeny.isa.errors import SearchError

BETAS, EPSILON = (0.9, 0.999), 1e-8


@dataclass(frozen=True, eq=False)
class Centred:
    """Where it stands: the centre, Adam's moments and steps, and the best with its error, NaN until it is judged."""

    centre: Vector
    mean: Vector
    square: Vector
    best: Vector
    space: Vectors
    seed: int
    steps: int = 0
    error: float = np.nan
    evaluations: int = 0


@dataclass(frozen=True)
class Strategy(Method[Vector, Centred]):
    """How many pairs, the standard deviation of changes, Adam's rate and the decay of weights by it (Loshchilov)."""

    DIALS: ClassVar[tuple[str, ...]] = ("pairs", "sigma", "rate", "decay")

    pairs: int = 128
    sigma: float = 0.05
    rate: float = 0.01
    decay: float = 0.0

    def __post_init__(self) -> None:
        if self.pairs < 1 or not self.sigma > 0 or not self.rate > 0 or not 0 <= self.decay * self.rate < 1:
            raise SearchError(
                f"{self.pairs} pairs, sigma {self.sigma:g}, rate {self.rate:g}, decay {self.decay:g}; expected 1 or "
                "more, above 0, above 0, and 0 or more but below 1 / rate"
            )

    def drawn(self, state: Centred, rng: np.random.Generator) -> Vector:
        """The genes of a generation [1 + 2 * pairs, ...]: zeros, those changes, their opposites."""
        raise NotImplementedError

    def made(self, state: Centred, genes: Vector) -> Sequence[Vector]:
        """The candidates of genes."""
        raise NotImplementedError

    def gradient(self, state: Centred, genes: Vector, shares: Vector) -> Vector:
        """The changes of genes [pairs, ...] added up by their shares."""
        raise NotImplementedError

    def begin(self, space: Space, seed: int) -> Centred:
        """The first centre, not judged yet."""
        of = expected(space, Vectors, type(self).__name__)
        centre = initial(of, seed)
        return Centred(centre, np.zeros_like(centre), np.zeros_like(centre), centre, of, seed)

    def ask(self, state: Centred) -> Asked[Vector]:
        """The centre and its pairs; first the best alone, if it is not judged."""
        if np.isnan(state.error):
            return Asked(state.best[None], Flat(state.best[None]))
        genes = self.drawn(state, chance(state.seed, state.evaluations))
        return Asked(genes, self.made(state, genes))

    def tell(self, state: Centred, asked: Asked[Vector], errors: Errors, goal: float = 0.0) -> Centred:
        """One step against the gradient."""
        errors = single(errors, type(self).__name__)
        at, judged = int(errors.argmin()), state.evaluations + len(errors)
        if np.isnan(state.error):
            return replace(state, error=float(errors[0]), evaluations=judged)
        if errors[at] < state.error:
            state = replace(state, best=np.array(asked.candidates[at]), error=float(errors[at]))
        shares = shaped(errors[1:], self.sigma).astype(state.centre.dtype)
        return self.stepped(replace(state, evaluations=judged), self.gradient(state, asked.genes, shares))

    def stepped(self, state: Centred, gradient: Vector) -> Centred:
        """One step of Adam, with decay apart from the gradient."""
        (beta, gamma), steps = BETAS, state.steps + 1
        mean = beta * state.mean + (1 - beta) * gradient
        square = gamma * state.square + (1 - gamma) * gradient**2
        step = mean / (1 - beta**steps) / (np.sqrt(square / (1 - gamma**steps)) + EPSILON)
        centre = within(state.space, (1 - self.rate * self.decay) * state.centre - self.rate * step)
        return replace(state, centre=centre, mean=mean, square=square, steps=steps)

    def best(self, state: Centred) -> Best[Vector]:
        """The best ever judged."""
        return Best(state.best, (np.inf if np.isnan(state.error) else state.error,))

    def present(self, state: Centred) -> Vector:
        """The centre."""
        return state.centre

    def sent(self, state: Centred) -> Population | None:
        """The best ever judged."""
        return None if np.isnan(state.error) else alone(state.best, state.error)

    def visited(self, state: Centred, guests: Population) -> Centred:
        """A guest that is better than all that was found here is the centre from now on, and Adam begins anew."""
        guest, error = guests.genes[0], float(guests.errors[0, 0])
        if np.isnan(state.error) or state.error <= error:
            return state
        none = np.zeros_like(guest)
        return replace(state, centre=guest, mean=none, square=none, steps=0, best=guest, error=error)

    def doubted(self, state: Centred) -> Centred:
        """The best is judged again; the centre and the moments stay."""
        return replace(state, error=np.nan)


def shaped(errors: Errors, sigma: float) -> Errors:
    """What each pair's change counts in the gradient, f64[pairs], of the errors f64[2 * pairs]: changes, opposites.

    Errors count by rank, from -0.5 to 0.5, equal ones by the mean of theirs, so that neither scale nor failures matter.
    """
    _, place, equal = np.unique(errors, return_inverse=True, return_counts=True)
    places = np.cumsum(equal) - (equal + 1) / 2
    worth = places[place] / (len(errors) - 1) - 0.5
    ahead, back = worth.reshape(2, -1)
    shares: Errors = (ahead - back) / (len(errors) * sigma)
    return shares
