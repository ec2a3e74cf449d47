"""Low-rank evolution strategy, in the manner of EGGROLL (Sarkar et al. 2025, arXiv 2511.16652).

The change of a matrix is the product of two thin ones, and a fitness that knows it (`network.py`) multiplies by the
centre's matrix for all candidates alike: x @ W + sigma * (x @ left) @ right. No change is ever made whole, neither when
it is judged nor in the gradient, whose rank is that of all pairs together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ontogeny.evolve.methods.centred import Centred, Strategy
from ontogeny.evolve.weights.candidates import LowRank, Vector, thin
from ontogeny.isa.errors import SearchError


@dataclass(frozen=True)
class LowRankES(Strategy):
    """The rank of changes; what is no matrix is changed whole. Other dials as those of any strategy about a centre."""

    DIALS: ClassVar[tuple[str, ...]] = (*Strategy.DIALS, "rank")

    rank: int = 1

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        if self.rank < 1:
            raise SearchError(f"a rank of {self.rank}; expected 1 or more")

    def drawn(self, state: Centred, rng: np.random.Generator) -> Vector:
        """The genes of a generation [1 + 2 * pairs, ...]: zeros, factors, and these with the left ones negated."""
        parts = thin(state.space, self.rank)
        genes = np.zeros((1 + 2 * self.pairs, parts[-1].first + parts[-1].width), state.centre.dtype)
        ahead, back = genes[1 : 1 + self.pairs], genes[1 + self.pairs :]
        rng.standard_normal(dtype=genes.dtype, out=ahead)
        back[:] = ahead
        for part in parts:
            left = part.left(back)
            np.negative(left, out=left)
        return genes

    def made(self, state: Centred, genes: Vector) -> Sequence[Vector]:
        """The centre with their changes."""
        return LowRank(state.space, state.centre, genes, self.rank, self.sigma)

    def gradient(self, state: Centred, genes: Vector, shares: Vector) -> Vector:
        """The changes added up by their shares: of a matrix one product of all left factors with all right ones."""
        ahead, total = genes[1 : 1 + self.pairs], np.empty_like(state.centre)
        for part in thin(state.space, self.rank):
            left = part.left(ahead)
            if part.rank:
                scaled = (left * shares[:, None, None] / part.rank**0.5).astype(total.dtype)
                rows, columns = part.piece.sides
                lefts = scaled.transpose(1, 0, 2).reshape(rows, -1)
                total[part.piece.span] = (lefts @ part.right(ahead).reshape(-1, columns)).reshape(-1)
            else:
                total[part.piece.span] = shares @ left
        return total
