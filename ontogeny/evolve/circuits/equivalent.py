"""Whether two netlists are equal: on all cases up to 2^20, else by a SAT solver; with a counterexample where not.

Netlists are compared as steps: outputs and next registers for every input and every state, reachable or not, and what
registers begin at. Unequal ones may still behave alike from their first state on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ontogeny.evolve.circuits.grower import Grower
from ontogeny.evolve.circuits.solver import solved
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Names, Netlist, Words, cases, checked, truth

EXHAUSTIVE = 20
BLOCK = 16
TRIED = 64


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Whether two netlists are equal, how that is known, and where not, a case and what differs in it.

    `case` has a bit for each input, then each register; it is empty where they are equal or begin differently.
    """

    equal: bool
    how: str
    case: tuple[int, ...] = ()
    differs: str = ""

    def __bool__(self) -> bool:
        return self.equal


def equivalent(a: Netlist, b: Netlist, exhaustive: int = EXHAUSTIVE) -> Equivalence:
    """Whether `a` and `b` are equal. Above 2^exhaustive cases a SAT solver decides, which may take long.

    Raises NetlistError where they have other numbers of inputs, outputs or registers, or the solver is not installed.
    """
    _comparable(a, b)
    for place in np.flatnonzero(a.initial != b.initial)[:1]:
        return Equivalence(False, "by the registers", (), f"what register {a.named.registers[place]} begins at")
    if a.sources <= exhaustive:
        found = _first(a, b, _blocks(a.sources))
        return Equivalence(True, f"all {1 << a.sources} cases") if found is None else found
    found = _first(a, b, iter([np.random.default_rng(0).integers(0, 2**64, (a.sources, TRIED), np.uint64)]))
    return _proved(a, b) if found is None else found


def matched(net: Netlist, names: Names) -> Netlist:
    """The netlist with inputs, outputs and registers in the order of `names`, as another tool may have moved them.

    Raises NetlistError where it has others than these.
    """
    own = net.named
    groups = (own.inputs, names.inputs), (own.registers, names.registers), (own.outputs, names.outputs)
    for given, wanted in groups:
        if sorted(given) != sorted(wanted):
            raise NetlistError(f"the netlist has {', '.join(given) or 'none'}; expected {', '.join(wanted) or 'none'}")
    places = [np.array([given.index(name) for name in wanted], np.int32) for given, wanted in groups]
    sources = [*places[0], *(net.inputs + places[1])]
    wires = {int(wire): place for place, wire in enumerate(sources)}
    moved = np.array([wires.get(wire, wire) for wire in range(net.wires)] + [-1], np.int32)
    fanin, outputs, after = moved[net.fanin], moved[net.outputs[places[2]]], moved[net.next[places[1]]]
    begins = net.initial[places[1]]
    return checked(replace(net, fanin=fanin, outputs=outputs, next=after, initial=begins, names=names))


def _comparable(a: Netlist, b: Netlist) -> None:
    counts = [(net.inputs, len(net.outputs), net.registers) for net in (a, b)]
    if counts[0] != counts[1]:
        told = " and ".join("{} inputs, {} outputs, {} registers".format(*count) for count in counts)
        raise NetlistError(f"netlists of {told} cannot be equal; expected the same numbers of each")


def _blocks(sources: int) -> Iterator[Words]:
    """All cases, at most 2^16 at a time: the higher inputs are the bits of the block's number."""
    low = cases(min(sources, BLOCK))
    for block in range(1 << max(0, sources - BLOCK)):
        high = [np.full_like(low[:1], -(block >> i & 1) & 2**64 - 1) for i in range(sources - BLOCK)]
        yield np.concatenate([low, *high])


def _first(a: Netlist, b: Netlist, blocks: Iterator[Words]) -> Equivalence | None:
    for words in blocks:
        differs = truth(a, words) ^ truth(b, words)
        if differs.any():
            place, word = np.argwhere(differs)[0]
            bit = int(differs[place, word]) & -int(differs[place, word])
            case = tuple(int(int(row[word]) & bit != 0) for row in words)
            return Equivalence(False, "by a case", case, _called(a, int(place)))
    return None


def _called(net: Netlist, place: int) -> str:
    names = net.named
    outputs = len(names.outputs)
    return f"output {names.outputs[place]}" if place < outputs else f"register {names.registers[place - outputs]}"


def _proved(a: Netlist, b: Netlist) -> Equivalence:
    """Both grown over the same wires, so that what has the same structure is one; the solver sees what is left."""
    grown = Grower(a.sources)
    pairs = list(zip(*(grown.placed(net, range(a.sources)) for net in (a, b)), strict=True))
    for place, case in solved(grown, pairs):
        return Equivalence(False, "by SAT", case, _called(a, place))
    return Equivalence(True, f"by SAT, over 2^{a.sources} cases")
