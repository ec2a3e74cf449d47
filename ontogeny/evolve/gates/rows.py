"""Netlists as rows of genes int32[3 * nodes + outputs]: what the loops of CGP run, and the netlist of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.gates import kernels as gates
from ontogeny.evolve.methods import cgp_kernels as kernels
from ontogeny.evolve.methods.cgp_values import room
from ontogeny.evolve.spaces import Netlists
from ontogeny.isa.netlist import Netlist, Words, netlist

Genes = NDArray[np.int32]
GATES = {
    0b0001: "nor", 0b0010: "and-not of the second", 0b0100: "and-not of the first", 0b0110: "xor", 0b0111: "nand",
    0b1000: "and", 0b1001: "xnor", 0b1011: "or-not of the second", 0b1101: "or-not of the first", 0b1110: "or",
}  # fmt: skip
"""What tables of two inputs are called."""


def net_of(genes: Genes, space: Netlists) -> Netlist:
    """The netlist of a row of genes: its active nodes alone."""
    inputs = space.sources
    nodes = (len(genes) - space.outputs - space.registers) // 3
    active, order = np.empty(inputs + nodes, np.uint8), np.empty(nodes, np.int32)
    shape = kernels.Shape(nodes, inputs, len(genes) - 3 * nodes, 0)
    kept = order[: kernels.mark(genes, shape, active, order)][::-1]
    number = np.arange(inputs + nodes, dtype=np.int32)
    number[inputs + kept] = inputs + np.arange(len(kept))
    rows = genes[: 3 * nodes].reshape(nodes, 3)[kept]
    wanted, fanin = number[genes[3 * nodes :]], number[rows[:, 1:]].reshape(-1, 2)
    return netlist(space.inputs, rows[:, 0], fanin, wanted[: space.outputs], next=wanted[space.outputs :])


@dataclass(frozen=True, eq=False)
class Rows(Sequence[Netlist]):
    """Netlists as their genes int32[n, ...], for fitness functions that judge these; each is made when it is taken."""

    genes: Genes
    space: Netlists

    def __len__(self) -> int:
        return len(self.genes)

    @overload
    def __getitem__(self, at: int) -> Netlist: ...
    @overload
    def __getitem__(self, at: slice) -> Rows: ...
    def __getitem__(self, at: int | slice) -> Netlist | Rows:
        return Rows(self.genes[at], self.space) if isinstance(at, slice) else net_of(self.genes[at], self.space)

    @property
    def nodes(self) -> int:
        """Nodes in a row."""
        return int(self.genes.shape[1] - self.space.outputs - self.space.registers) // 3

    def sizes(self) -> NDArray[np.int64]:
        """Gates that an output depends on, int64[n]."""
        sizes, sources = np.empty(len(self), np.int64), self.space.sources
        gates.measure(np.ascontiguousarray(self.genes, np.int32), self.nodes, sources, sizes)
        return sizes

    def depths(self) -> NDArray[np.int64]:
        """The most gates that a signal passes, int64[n]."""
        depths, sources = np.empty(len(self), np.int64), self.space.sources
        gates.depth(np.ascontiguousarray(self.genes, np.int32), self.nodes, sources, depths)
        return depths

    def errors(self, words: Words, target: Words, planes: Words, weights: NDArray[np.int64]) -> NDArray[np.int64]:
        """The weighted wrong bits of each against a table, int64[n], without making a netlist of any."""
        genes, found = np.ascontiguousarray(self.genes, np.int32), np.empty(len(self), np.int64)
        gates.judge(genes, room(self.nodes, len(target), words), target, planes, weights, found)
        return found


def change_said(space: Netlists, genes: int, place: int, old: int, new: int) -> str:
    """A change of one gene in words; nodes are counted from 0, wires are named as inputs, registers and nodes."""
    nodes = (genes - space.outputs - space.registers) // 3
    node, part = divmod(place, 3)
    if place >= 3 * nodes:
        output = place - 3 * nodes
        what = f"output {output}" if output < space.outputs else f"register {output - space.outputs}"
        return f"{what} takes {_wire(space, new)}, no more {_wire(space, old)}"
    if part == 0:
        return f"node {node} is {GATES.get(new, bin(new))}, no more {GATES.get(old, bin(old))}"
    return f"node {node} takes {_wire(space, new)}, no more {_wire(space, old)}"


def _wire(space: Netlists, wire: int) -> str:
    if wire < space.inputs:
        return f"input {wire}"
    sources = space.sources
    return f"register {wire - space.inputs}" if wire < sources else f"node {wire - sources}"
