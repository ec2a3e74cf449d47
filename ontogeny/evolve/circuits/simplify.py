"""Simplification: constants, structural hashing, dead gates. Each pass gives an equal netlist over the same registers.

No pass makes a gate larger, and none adds one. That two wires of different structure are always equal they do not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ontogeny.evolve.circuits.grower import Grower
from ontogeny.isa.netlist import Netlist


def constants(net: Netlist) -> Netlist:
    """Fanins that are constant, doubled or without effect are left out; buffers and double inversions are passed by."""

    def gate(grown: Grower, table: int, takes: Sequence[int]) -> int:
        folded = grown.folded(table, takes)
        return folded if isinstance(folded, int) else grown.add(*folded)

    return _again(net, gate)


def hashed(net: Netlist) -> Netlist:
    """Of gates with one table on the same wires, in whatever order, there is only the first."""
    return _again(net, Grower.shared)


def alive(net: Netlist) -> Netlist:
    """Without gates that reach no output and no register."""
    needed = set(map(int, (*net.outputs, *net.next)))
    for gate in reversed(range(net.gates)):
        if net.sources + gate in needed:
            needed.update(net.takes(gate))
    grown, wires = Grower(net.sources), list(range(net.sources))
    for gate in range(net.gates):
        wire = net.sources + gate
        takes = [wires[w] for w in net.takes(gate)] if wire in needed else []
        wires.append(grown.add(int(net.table[gate]), takes) if wire in needed else -1)
    return grown.like(net, wires)


PASSES: tuple[Callable[[Netlist], Netlist], ...] = (constants, hashed, alive)


def simplified(net: Netlist) -> Netlist:
    """All passes, over and over until nothing changes."""
    while True:
        before = net
        for simpler in PASSES:
            net = simpler(net)
        if net == before:
            return net


def _again(net: Netlist, gate: Callable[[Grower, int, Sequence[int]], int]) -> Netlist:
    grown, wires = Grower(net.sources), list(range(net.sources))
    for place in range(net.gates):
        wires.append(gate(grown, int(net.table[place]), [wires[wire] for wire in net.takes(place)]))
    return grown.like(net, wires)
