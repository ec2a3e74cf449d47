"""(1 + lambda) Cartesian genetic programming (Miller and Thomson 2000), with neutral drift.

A candidate is a row of nodes, each a gate of two earlier wires, most of which no output depends on: there changes
gather unseen. A child differs in 1 to `hits` genes that count and in whatever others were drawn on the way; one that is
no worse than its parent replaces it. Once a parent is right, so must its children be, with no more gates.

Against a truth table whole legs run compiled (`cgp_kernels.py`), and recompute only what a change reaches; any other
fitness is asked generation by generation. Both go the same way from the same seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve import cgp_kernels as kernels
from ontogeny.evolve.fitness import Table
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, Netlist, netlist

GATE_SETS = {
    "nand": (NAND,),
    "and-xor": (0b1000, 0b0110, 0b0010, 0b0100),
    "two-input": (0b0001, 0b0010, 0b0100, 0b0110, 0b0111, 0b1000, 0b1001, 0b1011, 0b1101, 0b1110),
}
"""Two-input truth tables by name: NAND alone; and, xor, and-not; all ten that depend on both inputs."""
Genes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Parent:
    """Where a search stands: plain arrays and numbers. The arrays are not to be written to."""

    genes: Genes
    rng: NDArray[np.uint64]
    inputs: int
    outputs: int
    error: float | None = None
    gates: int = 0
    evaluations: int = 0

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return (len(self.genes) - self.outputs) // 3


@dataclass(frozen=True, eq=False)
class Asked:
    """Children whose errors are wanted, as genes and as netlists, and the random state after them."""

    genes: list[Genes]
    nets: list[Netlist]
    rng: NDArray[np.uint64]


@dataclass(frozen=True)
class CGP:
    """How many nodes, which gates (a name in GATE_SETS, or truth tables), how many children to a generation."""

    nodes: int = 100
    gates: str | tuple[int, ...] = "two-input"
    offspring: int = 4
    hits: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.gates, str) and self.gates not in GATE_SETS:
            raise NetlistError(f"no gate set {self.gates!r}; there are {', '.join(GATE_SETS)}, or give truth tables")
        if not self.functions.size or (self.functions < 0).any() or (self.functions > 15).any():
            raise NetlistError(f"gates {self.gates}; expected truth tables of two inputs, 0 to 15")
        if min(self.nodes, self.offspring, self.hits) < 1:
            raise NetlistError(
                f"{self.nodes} nodes, {self.offspring} offspring, {self.hits} hits; expected 1 or more of each"
            )

    @property
    def functions(self) -> Genes:
        """The truth tables to draw from."""
        return np.array(GATE_SETS[self.gates] if isinstance(self.gates, str) else self.gates, np.int32)

    def begin(self, inputs: int, outputs: int, seed: int) -> Parent:
        """A random parent, not yet judged."""
        if inputs < 1 or outputs < 1:
            raise NetlistError(f"{inputs} inputs and {outputs} outputs; expected 1 or more of each")
        genes, rng = np.empty(3 * self.nodes + outputs, np.int32), np.array([seed % 2**64], np.uint64)
        kernels.begin(genes, self.nodes, inputs, self.functions, rng)
        return Parent(genes, rng, inputs, outputs)

    def ask(self, parent: Parent) -> Asked:
        """The children of one generation; the parent alone where it was not judged yet."""
        if parent.error is None:
            return Asked([parent.genes], [self.net(parent)], parent.rng)
        rng, active, order = parent.rng.copy(), np.empty(parent.inputs + parent.nodes, np.uint8), _order(parent)
        log, children = np.empty((3, 8 * len(parent.genes)), np.int32), []
        kernels.mark(parent.genes, parent.nodes, parent.inputs, active, order)
        for _ in range(self.offspring):
            child = parent.genes.copy()
            kernels.mutate(child, parent.nodes, parent.inputs, self.functions, active, self.hits, rng, log)
            children.append(child)
        return Asked(children, [self.net(replace(parent, genes=child)) for child in children], rng)

    def tell(self, parent: Parent, asked: Asked, errors: Sequence[float], goal: float = 0.0) -> Parent:
        """The next parent: the last of the best, if it is no worse."""
        best = parent
        for genes, net, error in zip(asked.genes, asked.nets, errors, strict=True):
            child = replace(parent, genes=genes, error=error, gates=net.gates)
            if best.error is None or _rank(child, goal) <= _rank(best, goal):
                best = child
        return replace(best, rng=asked.rng, evaluations=parent.evaluations + len(errors))

    def leg(self, parent: Parent, table: Table, most: int, until: bool) -> Parent:
        """Generations until `most` further evaluations, or the first right parent; the same as by ask and tell."""
        genes, rng, told = parent.genes.copy(), parent.rng.copy(), np.zeros(3, np.int64)
        kernels.leg(genes, self.functions, rng, self.offspring, self.hits, table.words, table.target, table.planes,
                    table.weights, most, until, told)  # fmt: skip
        error, gates, done = map(int, told)
        first = parent.error is None
        return replace(
            parent, genes=genes, rng=rng, error=float(error), gates=gates, evaluations=parent.evaluations + first + done
        )

    def net(self, parent: Parent) -> Netlist:
        """The netlist of the parent: its active nodes alone."""
        nodes, inputs, genes = parent.nodes, parent.inputs, parent.genes
        active, order = np.empty(inputs + nodes, np.uint8), _order(parent)
        kept = order[: kernels.mark(genes, nodes, inputs, active, order)][::-1]
        number = np.arange(inputs + nodes, dtype=np.int32)
        number[inputs + kept] = inputs + np.arange(len(kept))
        rows = genes[: 3 * nodes].reshape(nodes, 3)[kept]
        return netlist(inputs, rows[:, 0], number[rows[:, 1:]].reshape(-1, 2), number[genes[3 * nodes :]])


def _order(parent: Parent) -> Genes:
    return np.empty(parent.nodes, np.int32)


def _rank(parent: Parent, goal: float) -> tuple[float, int]:
    """What is compared: the error, and among the right ones the gates."""
    error = np.inf if parent.error is None else parent.error
    return (goal, parent.gates) if error <= goal else (error, 0)
