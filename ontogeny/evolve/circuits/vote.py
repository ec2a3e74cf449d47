"""The vote of a classifier as gates: the ones of each class counted, the largest count found.

Ones are counted by full adders of five gates, three wires of one weight for one of it and one of the next, until one
of each weight is left; counts are compared from the top, two classes at a time, and the first of equals wins.
"""

from __future__ import annotations

from collections.abc import Sequence

from ontogeny.evolve.circuits.grower import Grower
from ontogeny.evolve.circuits.simplify import simplified
from ontogeny.evolve.circuits.tables import AND, OR, XOR
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist

WITHOUT = 0b0010
"""The first fanin without the second."""


def decided(net: Netlist, classes: int) -> Netlist:
    """The number of the class with most votes, lowest bit first, of a netlist whose outputs are votes, class by class.

    Raises NetlistError where the outputs cannot be shared evenly, or there are registers.
    """
    if classes < 1 or net.registers or not len(net.outputs) or len(net.outputs) % classes:
        raise NetlistError(f"{len(net.outputs)} votes for {classes} classes; expected as many for each, no registers")
    grown = Grower(net.sources)
    votes = grown.placed(net, range(net.sources))
    each = len(votes) // classes
    sums = [_counted(grown, votes[c * each : (c + 1) * each]) for c in range(classes)]
    running = [(_number(grown, c, (classes - 1).bit_length()), count) for c, count in enumerate(sums)]
    while len(running) > 1:
        pairs = [_larger(grown, a, b) for a, b in zip(running[::2], running[1::2], strict=False)]
        running = pairs + running[len(pairs) * 2 :]
    return simplified(grown.finished(running[0][0]))


Class = tuple[list[int], list[int]]  # the wires of its number, and of its count


def _number(grown: Grower, number: int, bits: int) -> list[int]:
    return [grown.shared(number >> bit & 1, []) for bit in range(bits)]


def _counted(grown: Grower, wires: Sequence[int]) -> list[int]:
    """How many of the wires are ones, lowest bit first."""
    count, now = [], list(wires)
    while now:
        carries: list[int] = []
        while len(now) > 1:
            a, b, *rest = now
            total, carry = _added(grown, a, b, rest.pop(0)) if rest else _halves(grown, a, b)
            now = [*rest, total]
            carries.append(carry)
        count.append(now[0])
        now = carries
    return count


def _halves(grown: Grower, a: int, b: int) -> tuple[int, int]:
    return grown.made(XOR, [a, b]), grown.made(AND, [a, b])


def _added(grown: Grower, a: int, b: int, c: int) -> tuple[int, int]:
    half, both = _halves(grown, a, b)
    total, further = _halves(grown, half, c)
    return total, grown.made(OR, [both, further])


def _larger(grown: Grower, first: Class, second: Class) -> Class:
    """The class with the larger count, the first of equals."""
    more = grown.shared(0, [])
    for a, b in zip(
        first[1], second[1], strict=True
    ):  # the second one is more where it is in the highest bit that differs
        differs = grown.made(XOR, [a, b])
        more = _chosen(grown, differs, more, b)
    return tuple(  # type: ignore[return-value]
        [_chosen(grown, more, a, b) for a, b in zip(one, other, strict=True)]
        for one, other in zip(first, second, strict=True)
    )


def _chosen(grown: Grower, which: int, low: int, high: int) -> int:
    """`high` where `which` is one, else `low`; three gates."""
    return grown.made(XOR, [low, grown.made(AND, [which, grown.made(XOR, [low, high])])])
