"""Vectors as genes: drawn from a normal distribution, changed by adding a smaller one, crossed element by element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.genome import Genes, Genome
from ontogeny.evolve.spaces import Space, Vectors, expected
from ontogeny.isa.errors import SearchError


@dataclass(frozen=True)
class Reals(Genome[Any]):
    """The standard deviations of what is drawn, and of a change; the share of elements that a change alters."""

    DIALS: ClassVar[tuple[str, ...]] = ("change", "share")

    spread: float = 1.0
    change: float = 0.1
    share: float = 1.0

    def __post_init__(self) -> None:
        if not (self.spread > 0 and self.change > 0 and 0 < self.share <= 1):
            raise SearchError(f"{self}: expected spread and change above 0, and a share above 0 and up to 1")

    def draw(self, space: Space, count: int, rng: np.random.Generator) -> Genes:
        """Normal numbers."""
        return self.spread * rng.standard_normal((count, expected(space, Vectors, "a genome of reals").size))

    def mutated(self, space: Space, genes: Genes, rng: np.random.Generator) -> Genes:
        """Each with normal numbers added to a share of its elements."""
        changed: Genes = genes + self.change * rng.standard_normal(genes.shape) * (rng.random(genes.shape) < self.share)
        return changed

    def crossed(self, space: Space, one: Genes, other: Genes, rng: np.random.Generator) -> Genes:
        """Each element of the one or of the other."""
        return np.where(rng.random(one.shape) < 0.5, one, other)

    def candidates(self, space: Space, genes: Genes) -> Sequence[Any]:
        """The vectors themselves."""
        return list(genes)

    def sizes(self, space: Space, genes: Genes) -> NDArray[np.int64]:
        """Vectors are all alike in size."""
        return np.zeros(len(genes), np.int64)
