"""OpenAI's evolution strategy (Salimans et al. 2017): every number of a vector is changed on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ontogeny.evolve.methods.centred import Centred, Strategy
from ontogeny.evolve.weights.candidates import Flat, Vector, within


@dataclass(frozen=True)
class OpenAIES(Strategy):
    """Genes are the changes as standard normal numbers; a generation holds all its vectors at once."""

    def drawn(self, state: Centred, rng: np.random.Generator) -> Vector:
        """The genes of a generation [1 + 2 * pairs, size]: zeros, those changes, their opposites."""
        genes = np.zeros((1 + 2 * self.pairs, len(state.centre)), state.centre.dtype)
        changes = genes[1 : 1 + self.pairs]
        rng.standard_normal(dtype=genes.dtype, out=changes)
        np.negative(changes, out=genes[1 + self.pairs :])
        return genes

    def made(self, state: Centred, genes: Vector) -> Sequence[Vector]:
        """The vectors."""
        rows = genes * genes.dtype.type(self.sigma)
        rows += state.centre
        return Flat(within(state.space, rows))

    def gradient(self, state: Centred, genes: Vector, shares: Vector) -> Vector:
        """The changes added up by their shares."""
        total: Vector = shares @ genes[1 : 1 + self.pairs]
        return total
