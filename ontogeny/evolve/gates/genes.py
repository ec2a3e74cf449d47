"""Netlists as genes: rows of nodes, each a gate of two earlier wires, as Cartesian genetic programming writes them.

Most nodes no output depends on. A change alters 1 to `hits` genes that count, and others that were drawn on the way; a
crossing takes a stretch of nodes and outputs, round the end, from the other parent, wires by their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.gates import kernels
from ontogeny.evolve.gates.rows import Rows
from ontogeny.evolve.genome import Genes, Genome, bits_from
from ontogeny.evolve.methods.cgp import CGP
from ontogeny.evolve.spaces import Netlists, Space, expected
from ontogeny.isa.netlist import Netlist


@dataclass(frozen=True)
class Gates(Genome[Netlist]):
    """How many nodes, which gates (a name in GATE_SETS, or truth tables), how many genes that count a change alters."""

    DIALS: ClassVar[tuple[str, ...]] = ("gates", "hits")

    nodes: int = 100
    gates: str | tuple[int, ...] = "two-input"
    hits: int = 1

    def __post_init__(self) -> None:
        CGP(self.nodes, self.gates, hits=self.hits)  # what it refuses, these do

    @property
    def functions(self) -> NDArray[np.int32]:
        """The truth tables to draw from."""
        return CGP(gates=self.gates).functions

    def draw(self, space: Space, count: int, rng: np.random.Generator) -> Genes:
        """Random gates of random wires."""
        nets = expected(space, Netlists, "a genome of gates")
        genes = np.empty((count, 3 * self.nodes + nets.outputs + nets.registers), np.int32)
        kernels.draw(genes, self.nodes, nets.sources, self.functions, bits_from(rng))
        return genes

    def mutated(self, space: Space, genes: Genes, rng: np.random.Generator) -> Genes:
        """Each with 1 to `hits` changes that count."""
        changed = np.array(genes)
        nets = expected(space, Netlists, "a genome of gates")
        kernels.change(changed, self.nodes, nets.sources, self.functions, self.hits, bits_from(rng))
        return changed

    def crossed(self, space: Space, one: Genes, other: Genes, rng: np.random.Generator) -> Genes:
        """The one with a stretch of the other."""
        changed = np.array(one)
        kernels.cross(changed, np.ascontiguousarray(other), self.nodes, bits_from(rng))
        return changed

    def candidates(self, space: Space, genes: Genes) -> Sequence[Netlist]:
        """Their netlists."""
        return Rows(genes, expected(space, Netlists, "a genome of gates"))

    def sizes(self, space: Space, genes: Genes) -> NDArray[np.int64]:
        """Gates that an output depends on."""
        return Rows(genes, expected(space, Netlists, "a genome of gates")).sizes()
