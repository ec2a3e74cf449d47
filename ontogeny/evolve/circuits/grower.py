"""A netlist that grows gate by gate from another's inputs and registers, each made once, as simple as it can be."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from ontogeny.evolve.circuits.tables import IDENTITY, INVERTED, in_order, reduced
from ontogeny.isa.netlist import Names, Netlist, netlist


class Grower:
    """Gates in the making; `add` takes any gate as it is, `made` gives a wire of the same value."""

    def __init__(self, sources: int) -> None:
        self.sources = sources
        self.table: list[int] = []
        self.fanin: list[tuple[int, ...]] = []
        self.known: dict[int, int] = {}
        self._made: dict[tuple[int, tuple[int, ...]], int] = {}

    def add(self, table: int, takes: Sequence[int]) -> int:
        """The wire of a new gate."""
        self.table.append(table)
        self.fanin.append(tuple(takes))
        wire = self.sources + len(self.table) - 1
        if not takes:
            self.known[wire] = table
        return wire

    def shared(self, table: int, takes: Sequence[int]) -> int:
        """The wire of a gate of this table on these fanins in any order: a new one only where there is none."""
        key = in_order(table, takes)
        if key not in self._made:
            self._made[key] = self.add(*key)
        return self._made[key]

    def folded(self, table: int, takes: Sequence[int]) -> tuple[int, list[int]] | int:
        """The gate without what is known of its fanins; a wire where it only passes that one on, or inverts twice."""
        table, wires = reduced(table, takes, self.known)
        if (len(wires), table) == IDENTITY:
            return wires[0]
        if (len(wires), table) == INVERTED and wires[0] >= self.sources:
            inner = wires[0] - self.sources
            if (len(self.fanin[inner]), self.table[inner]) == INVERTED:
                return self.fanin[inner][0]
        return table, wires

    def made(self, table: int, takes: Sequence[int]) -> int:
        """A wire of the gate's value, by both of these."""
        folded = self.folded(table, takes)
        return folded if isinstance(folded, int) else self.shared(*folded)

    def placed(self, net: Netlist, sources: Sequence[int]) -> list[int]:
        """A netlist grown over these wires as its inputs and registers; wires of its outputs, then its next values."""
        wires = list(sources)
        for gate in range(net.gates):
            wires.append(self.made(int(net.table[gate]), [wires[wire] for wire in net.takes(gate)]))
        return [wires[wire] for wire in (*net.outputs, *net.next)]

    def undone(self, gates: int) -> None:
        """Forgets all gates after the first so many."""
        last = self.sources + gates
        del self.table[gates:], self.fanin[gates:]
        while self.known and next(reversed(self.known)) >= last:
            self.known.popitem()
        while self._made and next(reversed(self._made.values())) >= last:
            self._made.popitem()

    def like(self, net: Netlist, wires: Sequence[int]) -> Netlist:
        """The grown netlist with the outputs and registers of `net`, whose wire w is wire `wires[w]` here."""
        return self.finished(
            [wires[wire] for wire in net.outputs],
            next=[wires[wire] for wire in net.next],
            initial=net.initial,
            names=net.names,
        )

    def finished(
        self, outputs: Sequence[int], *, next: Sequence[int] = (), initial: ArrayLike | None = None,
        names: Names | None = None,
    ) -> Netlist:  # fmt: skip
        """The grown netlist with these outputs; the last sources are registers, as many as there are `next` wires."""
        k = max(map(len, self.fanin), default=0)
        fanin = [[*takes, *[-1] * (k - len(takes))] for takes in self.fanin]
        inputs = self.sources - len(next)
        return netlist(inputs, self.table, fanin, outputs, next=next, initial=initial, names=names)
