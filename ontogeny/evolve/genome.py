"""What candidates are made of, for methods that keep populations: genes, drawn, changed, crossed, and turned into them.

Genes are arrays of one shape and type; what varies in length is padded. All functions take many at once, [n, ...],
and none writes to what it is given. Chance comes from the generator alone, as many draws as it likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.spaces import Space

Genes = NDArray[Any]
Candidate_co = TypeVar("Candidate_co", covariant=True)


class Genome(Protocol[Candidate_co]):
    """A way to write candidates as genes. Subclass it, as a frozen dataclass: one file, and a line in `kinds.py`."""

    DIALS: ClassVar[tuple[str, ...]] = ()
    """The fields that may be turned while a search goes on."""

    def draw(self, space: Space, count: int, rng: np.random.Generator) -> Genes:
        """So many at random, or empty ones. Raises SearchError for a space that they do not span."""

    def mutated(self, space: Space, genes: Genes, rng: np.random.Generator) -> Genes:
        """Each with a change."""

    def crossed(self, space: Space, one: Genes, other: Genes, rng: np.random.Generator) -> Genes:
        """A child of each pair."""

    def candidates(self, space: Space, genes: Genes) -> Sequence[Candidate_co]:
        """What a fitness judges; any Sequence, so that a fitness that knows it may look at the genes themselves."""

    def sizes(self, space: Space, genes: Genes) -> NDArray[np.int64]:
        """How large each is (gates, instructions), int64[n]: among those that are right the smaller one is better."""


def bits_from(rng: np.random.Generator) -> NDArray[np.uint64]:
    """The random bits that compiled loops go by, uint64[1], begun by one draw."""
    return rng.integers(0, 2**64, 1, np.uint64)
