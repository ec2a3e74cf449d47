"""A netlist made smaller: gate after gate is made anew from all the others, a walk over netlists that are all equal.

What a gate must be is told only by the cases in which an output changes with it; in the others it is free. There any
wire, or any chain of a few new gates, that is right where it matters may take its place: resubstitution with
don't-cares (Mishchenko and Brayton 2006), by enumeration. One that fits is drawn, and taken where the netlist gets no
larger, or with a small chance where it does (simulated annealing). So it drifts as Cartesian genetic programming does,
but every step is a right one.

All cases are kept, so inputs and registers are at most EXHAUSTIVE. What the walk does not know: gates that could only
change together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.circuits.convert import nand_only, two_input
from ontogeny.evolve.circuits.equivalent import EXHAUSTIVE
from ontogeny.evolve.circuits.tables import INVERTED
from ontogeny.evolve.gates import resynthesis_kernels as kernels
from ontogeny.evolve.methods.cgp import CGP
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, Netlist, Words, cases, netlist

Rows = NDArray[np.int32]


@dataclass(frozen=True)
class Walk:
    """How a walk goes.

    `chances` of a step that adds one gate, two, and so on; `lengths` of the chains to draw from; `spare`: how many
    gates more than at first there may be on the way.
    """

    chances: tuple[float, ...] = (0.01, 0.0001)
    lengths: tuple[int, ...] = (1, 1, 2, 2, 3)
    spare: int = 8

    def __post_init__(self) -> None:
        if not all(0 <= chance <= 1 for chance in self.chances) or self.spare < 0:
            raise NetlistError(f"chances {self.chances}, {self.spare} spare gates; expected 0 to 1, 0 or more")
        if not self.lengths or not all(1 <= length <= kernels.LEVELS for length in self.lengths):
            raise NetlistError(f"chains of {self.lengths} gates; expected lengths from 1 to {kernels.LEVELS}")


WALK = Walk()


def resynthesised(
    net: Netlist, *, gates: str | tuple[int, ...] = "nand", seed: int = 0, steps: int = 20_000, walk: Walk = WALK
) -> Netlist:
    """The smallest equal netlist on a walk of so many steps by these gates, a set's name or truth tables as for `CGP`.

    A gate that is not of the set stays until one of the set does as well. Raises NetlistError for a set that there is
    not, and above EXHAUSTIVE inputs and registers together.
    """
    functions = CGP(gates=gates).functions
    if net.sources > EXHAUSTIVE:
        raise NetlistError(
            f"{net.sources} inputs and registers; expected at most {EXHAUSTIVE}, since all cases are kept"
        )
    narrow = nand_only(net) if functions.tolist() == [NAND] else two_input(net)
    if not net.sources:
        return narrow
    rows, ends = _rows(narrow, walk.spare)
    chances = np.array([round(chance * kernels.CHANCE) for chance in walk.chances], np.int64)
    lengths, rng = np.array(walk.lengths, np.int64), np.array([seed % 2**64], np.uint64)
    words, order = _shuffled(net.sources, seed), np.empty(len(rows), np.int32)
    count = kernels.resynthesised(rows, ends, words, functions, chances, lengths, steps, rng, order)
    return _netlist(narrow, rows, ends, order[:count])


def _rows(net: Netlist, spare: int) -> tuple[Rows, Rows]:
    """Rows of (table, left, right) with room to spare, and the wires of outputs and registers."""
    rows = np.zeros((net.gates + spare, 3), np.int32)
    for gate in range(net.gates):
        takes, table = net.takes(gate), int(net.table[gate])
        left, right = (*takes, 0, 0)[:2] if len(takes) != 1 else takes * 2
        rows[gate] = _wide(table, len(takes)), left, right
    return rows, np.concatenate([net.outputs, net.next]).astype(np.int32)


def _wide(table: int, arity: int) -> int:
    """The table over two fanins of a gate of fewer, which takes one wire twice or looks at none."""
    if (arity, table) == INVERTED:
        return NAND
    return table if arity == 2 else table * (0b0101 if arity else 0b1111)


def _shuffled(sources: int, seed: int) -> Words:
    """All cases in an order drawn by the seed, so that the first word tells the most."""
    words = cases(sources)
    order = np.random.default_rng(seed % 2**64).permutation(64 * words.shape[1])
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, order]
    return np.ascontiguousarray(np.packbits(bits, axis=1, bitorder="little")).view(np.uint64)


def _netlist(net: Netlist, rows: Rows, ends: Rows, order: Rows) -> Netlist:
    """The netlist of the rows in `order`, with the outputs and registers of `net` at the ends."""
    number = np.arange(net.sources + len(rows), dtype=np.int32)
    number[net.sources + order] = net.sources + np.arange(len(order))
    outputs, next = np.split(number[ends], [len(net.outputs)])
    kept = rows[order]
    return netlist(
        net.inputs, kept[:, 0], number[kept[:, 1:]], outputs, next=next, initial=net.initial, names=net.names
    )
