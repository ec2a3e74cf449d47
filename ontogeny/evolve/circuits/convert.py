"""Other gate sets: two-input gates, and NAND alone. The result is simplified and equal to what was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ontogeny.evolve.circuits.grower import Grower
from ontogeny.evolve.circuits.simplify import alive, simplified
from ontogeny.evolve.circuits.tables import AND, NAND, OR, XOR, cofactor, full
from ontogeny.isa.netlist import Netlist

Gate = Callable[[int, Sequence[int]], int]


def two_input(net: Netlist) -> Netlist:
    """The same in gates of at most two inputs: a wider one is cut at the fanin that leaves the least behind."""
    grown = Grower(net.sources)
    return simplified(_rewritten(net, grown, lambda table, takes: _cut(grown, table, takes)))


def nand_only(net: Netlist) -> Netlist:
    """The same in NANDs of two inputs, none other: an inverter is a NAND of a wire with itself, a one NAND(x, not x).

    Where there is no wire at all to make a constant of, the constant stays a gate without inputs.
    """
    narrow = two_input(net)
    grown = Grower(net.sources)
    made = _rewritten(narrow, grown, lambda table, takes: _nand(grown, table, takes))
    return alive(_spelt(simplified(made)))


def _rewritten(net: Netlist, grown: Grower, gate: Gate) -> Netlist:
    wires = list(range(net.sources))
    for place in range(net.gates):
        wires.append(gate(int(net.table[place]), [wires[wire] for wire in net.takes(place)]))
    return grown.like(net, wires)


def _cut(grown: Grower, table: int, takes: Sequence[int]) -> int:
    folded = grown.folded(table, takes)
    if isinstance(folded, int):
        return folded
    table, wires = folded
    arity = len(wires)
    if arity <= 2:
        return grown.shared(table, wires)
    place = min(range(arity), key=lambda p: _left(table, arity, p))
    low, high = (cofactor(table, arity, place, bit) for bit in (0, 1))
    others, by = wires[:place] + wires[place + 1 :], wires[place]
    ones = full(arity - 1)
    if low ^ high == ones:
        return grown.made(XOR, [_cut(grown, low, others), by])
    for constant, joined in ((low == 0, AND), (low == ones, 0b1011), (high == 0, 0b0010), (high == ones, OR)):
        if constant:
            return grown.made(joined, [_cut(grown, high if joined in (AND, 0b1011) else low, others), by])
    return _fewest(grown, [partial(way, grown, by, others, low, high) for way in _ways(low, high)])


def _fewest(grown: Grower, ways: list[Callable[[], int]]) -> int:
    """The wire by the way that adds the fewest gates to what there is already; the first of several."""
    if len(ways) == 1:
        return ways[0]()
    before, costs = len(grown.table), []
    for way in ways:
        way()
        costs.append(len(grown.table) - before)
        grown.undone(before)
    return ways[costs.index(min(costs))]()


def _ways(low: int, high: int) -> list[Callable[..., int]]:
    """How a choice between two tables can be made: fewer gates where one of them implies the other."""
    if low & ~high == 0:
        return [_low_or_high, _low_or_unlike]
    return [_high_or_low] if high & ~low == 0 else [_either]


def _low_or_high(grown: Grower, by: int, others: list[int], low: int, high: int) -> int:
    return grown.made(OR, [_cut(grown, low, others), grown.made(AND, [by, _cut(grown, high, others)])])


def _low_or_unlike(grown: Grower, by: int, others: list[int], low: int, high: int) -> int:
    """As an adder's carry goes: where its sum has made the exclusive or already."""
    return grown.made(OR, [_cut(grown, low, others), grown.made(AND, [by, _cut(grown, low ^ high, others)])])


def _high_or_low(grown: Grower, by: int, others: list[int], low: int, high: int) -> int:
    return grown.made(OR, [_cut(grown, high, others), grown.made(0b0010, [_cut(grown, low, others), by])])


def _either(grown: Grower, by: int, others: list[int], low: int, high: int) -> int:
    a, b = _cut(grown, low, others), _cut(grown, high, others)
    return grown.made(OR, [grown.made(0b0010, [a, by]), grown.made(AND, [by, b])])


def _left(table: int, arity: int, place: int) -> int:
    """How much is left to make after a cut at `place`: fanins that both sides depend on, fewest first."""
    low, high = (cofactor(table, arity, place, bit) for bit in (0, 1))
    ones = full(arity - 1)
    if low ^ high == ones or low in (0, ones) or high in (0, ones):
        return 0
    sides = [(side, p) for side in (low, high) for p in range(arity - 1)]
    return 1 + sum(cofactor(side, arity - 1, p, 0) != cofactor(side, arity - 1, p, 1) for side, p in sides)


def _nand(grown: Grower, table: int, takes: Sequence[int]) -> int:
    """NANDs and inverters for any gate of up to two inputs, the fewest for each alone."""
    if len(takes) < 2:
        return grown.made(table, takes)
    a, b = takes
    if table in (XOR, 0b1001):
        both = grown.made(NAND, [a, b])
        found = grown.made(NAND, [grown.made(NAND, [a, both]), grown.made(NAND, [b, both])])
        return found if table == XOR else _not(grown, found)
    ones = table.bit_count()
    if ones not in (1, 3):
        return grown.made(table, takes)
    odd = next(i for i in range(4) if (table >> i & 1) == (ones == 1))
    operands = [wire if odd >> place & 1 else _not(grown, wire) for place, wire in enumerate(takes)]
    found = grown.made(NAND, operands)
    return found if ones == 3 else _not(grown, found)


def _not(grown: Grower, wire: int) -> int:
    return grown.made(0b01, [wire])


def _spelt(net: Netlist) -> Netlist:
    """Inverters and constants written as NANDs."""
    grown = Grower(net.sources)

    def gate(table: int, takes: Sequence[int]) -> int:
        if len(takes) == 2:
            return grown.shared(table, takes)
        if len(takes) == 1:
            return grown.shared(NAND, [takes[0], takes[0]])
        if not net.sources:
            return grown.shared(table, takes)
        one = grown.shared(NAND, [0, grown.shared(NAND, [0, 0])])
        return one if table else grown.shared(NAND, [one, one])

    return _rewritten(net, grown, gate)
