"""Vectors as genes: drawn from a normal distribution, changed by adding a smaller one, crossed element by element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.genome import Genes, Genome
from ontogeny.evolve.spaces import Bounded, Space, Vectors, expected
from ontogeny.evolve.weights.candidates import bounds, initial, within
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
        """Normal numbers, around the start of a space that has one; even ones between two bounds without a start."""
        of = expected(space, Vectors, "a genome of reals")
        drawn = self.spread * rng.standard_normal((count, of.size))
        if not isinstance(of, Bounded):
            return drawn
        limits = bounds(of)
        if limits is not None and not of.start and np.isfinite(limits).all():
            return rng.uniform(*limits, (count, of.size))
        return within(of, initial(of, 0) + drawn)

    def mutated(self, space: Space, genes: Genes, rng: np.random.Generator) -> Genes:
        """Each with normal numbers added to a share of its elements."""
        changed: Genes = genes + self.change * rng.standard_normal(genes.shape) * (rng.random(genes.shape) < self.share)
        return within(expected(space, Vectors, "a genome of reals"), changed)

    def crossed(self, space: Space, one: Genes, other: Genes, rng: np.random.Generator) -> Genes:
        """Each element of the one or of the other."""
        return np.where(rng.random(one.shape) < 0.5, one, other)

    def candidates(self, space: Space, genes: Genes) -> Sequence[Any]:
        """The vectors themselves."""
        return list(genes)

    def sizes(self, space: Space, genes: Genes) -> NDArray[np.int64]:
        """Vectors are all alike in size."""
        return np.zeros(len(genes), np.int64)
