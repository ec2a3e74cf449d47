"""Many small circuits of NANDs at once, as arrays: drawn, simulated on all cases, each put into the one order it has.

A circuit has at most six inputs and one output, its last gate's, so that a wire is one word of all cases. `fanin` is
int64[circuits, gates, 2]: the wires that each gate takes, wires being inputs and then gates; -1 after the last gate.
`Circuit` is one of them without what is after it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.gates.genes import Gates
from ontogeny.evolve.spaces import Netlists
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, WIDEST, Netlist, Words, cases, netlist, used

Fanin = NDArray[np.int64]
Circuit = tuple[tuple[int, int], ...]


def drawn(inputs: int, gates: int, count: int, rng: np.random.Generator) -> Fanin:
    """Random circuits as Cartesian genetic programming draws them: each gate takes any two earlier wires."""
    genes = Gates(gates, "nand").draw(Netlists(inputs, 1), count, rng)
    return genes[:, : 3 * gates].reshape(count, gates, 3)[:, :, 1:].astype(np.int64)


def values(inputs: int, fanin: Fanin) -> Words:
    """Every wire of every circuit on all cases, uint64[circuits, inputs + gates]; what is no gate is input 0.

    Below six inputs the cases repeat to fill the word, as those of `isa.netlist.cases` do.
    """
    if inputs > WIDEST:
        raise NetlistError(f"{inputs} inputs; expected at most {WIDEST}, so that a wire is one word")
    count, gates, _ = fanin.shape
    found, rows = np.empty((count, inputs + gates), np.uint64), np.arange(count)
    found[:, :inputs] = cases(inputs)[:, 0]
    for gate in range(gates):
        left, right = np.maximum(fanin[:, gate], 0).T
        there = fanin[:, gate, 0] >= 0
        found[:, inputs + gate] = np.where(there, ~(found[rows, left] & found[rows, right]), found[:, 0])
    return found


def sizes(fanin: Fanin) -> NDArray[np.int64]:
    """How many gates each has, int64[circuits]."""
    return np.asarray((fanin[:, :, 0] >= 0).sum(axis=1), np.int64)


def outputs(inputs: int, fanin: Fanin) -> Words:
    """What each computes: its last gate's word, uint64[circuits]; of none at all, 0."""
    last = sizes(fanin) - 1
    found = values(inputs, fanin)[np.arange(len(fanin)), inputs + np.maximum(last, 0)]
    return np.where(last >= 0, found, np.uint64(0))


def alive(inputs: int, fanin: Fanin) -> NDArray[np.bool_]:
    """The gates that the output depends on, bool[circuits, gates]."""
    count, gates, _ = fanin.shape
    marked, rows = np.zeros((count, inputs + gates), bool), np.arange(count)
    marked[rows, inputs + np.maximum(sizes(fanin) - 1, 0)] = sizes(fanin) > 0
    for gate in reversed(range(gates)):
        on = marked[:, inputs + gate]
        marked[rows[on, None], fanin[on, gate]] = True
    return marked[:, inputs:]


def ordered(inputs: int, gates: dict[int, tuple[int, int]]) -> Circuit:
    """Gates by their wires, each with what it takes, in the one order that a circuit has.

    The next gate is always the one of those that can stand there whose fanins have the lowest numbers, the larger
    compared first. Two circuits that differ only in how their gates are numbered become the same.
    """
    numbers, found, todo = {wire: wire for wire in range(inputs)}, list[tuple[int, int]](), dict(gates)
    while todo:
        ready = [
            (max(numbers[left], numbers[right]), min(numbers[left], numbers[right]), wire)
            for wire, (left, right) in todo.items()
            if left in numbers and right in numbers
        ]
        high, low, wire = min(ready)
        numbers[wire] = inputs + len(found)
        found.append((low, high))
        del todo[wire]
    return tuple(found)


def circuit(net: Netlist) -> Circuit:
    """A netlist of NANDs whose one output every gate reaches. NetlistError for any other."""
    plain = len(net.outputs) == 1 and not net.registers and net.gates > 0 and net.inputs <= WIDEST
    if not plain or {len(net.takes(g)) for g in range(net.gates)} != {2} or set(net.table.tolist()) != {NAND}:
        raise NetlistError(
            f"a netlist of {net.inputs} inputs, {len(net.outputs)} outputs, {net.registers} registers, {net.gates} "
            f"gates; expected NANDs of two inputs, one output, no registers, at most {WIDEST} inputs: see nand_only"
        )
    if not used(net)[net.inputs :].all():
        raise NetlistError("gates that reach no output; leave them out (simplified) and try again")
    return ordered(net.inputs, {net.inputs + g: (net.takes(g)[0], net.takes(g)[1]) for g in range(net.gates)})


def netlist_of(inputs: int, found: Circuit) -> Netlist:
    """The netlist of a circuit."""
    return netlist(inputs, [NAND] * len(found), np.array(found).reshape(-1, 2), [inputs + len(found) - 1])


def padded(circuits: list[Circuit], gates: int) -> Fanin:
    """Circuits as an array, -1 after the last gate of each."""
    found = np.full((len(circuits), gates, 2), -1, np.int64)
    for row, each in zip(found, circuits, strict=True):
        row[: len(each)] = each
    return found


def table(word: int, inputs: int) -> int:
    """The truth table of a word as a number of 2^inputs bits: bit i is the output in case i."""
    return int(word) & ((1 << (1 << inputs)) - 1)


def word(number: int, inputs: int) -> int:
    """The word of a truth table: its cases over and over."""
    count = 1 << inputs
    return sum(number << place for place in range(0, 64, count))
