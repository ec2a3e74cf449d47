"""(1 + lambda) Cartesian genetic programming (Miller and Thomson 2000), with neutral drift.

A candidate is a row of nodes, each a gate of two earlier wires, most of which no output depends on: there changes
gather unseen. A child differs in 1 to `hits` genes that count and in whatever others were drawn on the way; one that is
no worse than its parent replaces it. Once a parent is right, so must its children be, with no more gates.

Against a truth table whole legs run compiled (`cgp_leg.py`), and recompute only what a change reaches; any other
fitness is asked generation by generation. Both go the same way from the same seed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.fitness.tables import Fitness, Table
from ontogeny.evolve.gates.kernels import change
from ontogeny.evolve.gates.rows import net_of
from ontogeny.evolve.method import Asked, Best, Errors, Method, single
from ontogeny.evolve.methods import cgp_kernels as kernels
from ontogeny.evolve.methods.cgp_leg import leg
from ontogeny.evolve.methods.cgp_values import room
from ontogeny.evolve.methods.population import Population
from ontogeny.evolve.spaces import Netlists, Space, expected
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, Netlist

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
    space: Netlists
    error: float | None = None
    gates: int = 0
    evaluations: int = 0

    @property
    def inputs(self) -> int:
        """What nodes may take beside one another: inputs and registers."""
        return self.space.sources

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return (len(self.genes) - self.space.outputs - self.space.registers) // 3


@dataclass(frozen=True)
class CGP(Method[Netlist, Parent]):
    """How many nodes, which gates (a name in GATE_SETS, or truth tables), how many children to a generation."""

    DIALS: ClassVar[tuple[str, ...]] = ("gates", "offspring", "hits")

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

    def begin(self, space: Space, seed: int) -> Parent:
        """A random parent, not yet judged."""
        nets = expected(space, Netlists, "CGP")
        genes = np.empty(3 * self.nodes + nets.outputs + nets.registers, np.int32)
        parent = Parent(genes, np.array([seed % 2**64], np.uint64), nets)
        kernels.begin(genes, self.nodes, parent.inputs, self.functions, parent.rng)
        return parent

    def ask(self, state: Parent) -> Asked[Netlist]:
        """The children of one generation; the parent alone where it was not judged yet."""
        if state.error is None:
            return Asked(state.genes[None], [self.net(state)], rng=state.rng)
        rng, children = state.rng.copy(), np.repeat(state.genes[None], self.offspring, 0)
        change(children, state.nodes, state.inputs, self.functions, self.hits, rng)
        return Asked(children, [self.net(replace(state, genes=child)) for child in children], rng=rng)

    def tell(self, state: Parent, asked: Asked[Netlist], errors: Errors, goal: float = 0.0) -> Parent:
        """The next parent: the last of the best, if it is no worse."""
        best = state
        for genes, net, error in zip(asked.genes, asked.candidates, single(errors, "CGP").tolist(), strict=True):
            child = replace(state, genes=genes, error=error, gates=net.gates)
            if best.error is None or _rank(child, goal) <= _rank(best, goal):
                best = child
        return replace(best, rng=asked.rng, evaluations=state.evaluations + len(errors))

    def best(self, state: Parent) -> Best[Netlist]:
        """The parent."""
        return Best(self.net(state), (np.inf if state.error is None else state.error,), state.gates)

    def doubted(self, state: Parent) -> Parent:
        """The parent, not judged yet."""
        return replace(state, error=None)

    def sent(self, state: Parent) -> Population | None:
        """The parent; its number is not kept."""
        if state.error is None:
            return None
        one = np.array([state.gates]), np.array([-1])
        return Population(state.genes[None], np.array([[state.error]]), *one)

    def visited(self, state: Parent, guests: Population) -> Parent:
        """The guest's genes, where it is better."""
        other = replace(state, genes=guests.genes[0], error=float(guests.errors[0, 0]), gates=int(guests.sizes[0]))
        return state if state.error is not None and _rank(state, 0.0) <= _rank(other, 0.0) else other

    def turned(self, state: Parent) -> Parent:
        """Gates that are no longer in the set are drawn anew, and the parent is then judged again."""
        genes, rng = state.genes.copy(), state.rng.copy()
        foreign = 3 * np.flatnonzero(~np.isin(genes[: 3 * state.nodes : 3], self.functions))
        for gene in foreign:
            genes[gene] = self.functions[kernels.below(rng, len(self.functions))]
        return replace(state, genes=genes, rng=rng, error=None if len(foreign) else state.error)

    def leg(self, state: Parent, fitness: Fitness[Netlist], most: int, until: bool) -> Parent | None:
        """Against a table: generations until `most` further evaluations, or the first right parent."""
        if not isinstance(fitness, Table):
            return None
        genes, rng, told = state.genes.copy(), state.rng.copy(), np.zeros(3, np.int64)
        first = int(state.error is None)  # the parent itself
        scratch = room(state.nodes, fitness.outputs, fitness.words)
        leg(genes, self.functions, rng, self.offspring, self.hits, scratch, fitness.target, fitness.planes,
            fitness.weights, most - first, until, told)  # fmt: skip
        error, gates, done = map(int, told)
        judged = state.evaluations + done + first
        return replace(state, genes=genes, rng=rng, error=float(error), gates=gates, evaluations=judged)

    def net(self, state: Parent) -> Netlist:
        """The netlist of the parent: its active nodes alone."""
        return net_of(state.genes, state.space)


def _rank(parent: Parent, goal: float) -> tuple[float, int]:
    """What is compared: the error, and among the right ones the gates."""
    error = np.inf if parent.error is None else parent.error
    return (goal, parent.gates) if error <= goal else (error, 0)
