"""Designs of circuits: for each function of a few inputs some of the smallest circuits of NANDs, searched and drawn.

Functions that differ only in the order of their inputs are one class, and a circuit of one is, reordered, one of the
others. A function that is constant or an input takes no gate, and there is no design of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.circuits.nands import Circuit, Fanin, alive, circuit, drawn, ordered, outputs, table, values
from ontogeny.evolve.circuits.tables import full, permuted
from ontogeny.evolve.fitness.tables import equals
from ontogeny.evolve.gates.smallest import smallest
from ontogeny.evolve.methods.cgp import CGP
from ontogeny.isa.netlist import PATTERNS

Order = tuple[int, ...]
Designs = dict[int, list[Circuit]]
BLOCK, LONGER = 50_000, 6
NODES, STEPS = 30, 3000


@cache
def classes(inputs: int) -> dict[int, dict[int, Order]]:
    """By the least function of each class its functions, and for each an order that makes it of the least one."""
    trivial = {0, full(inputs), *(table(PATTERNS[place], inputs) for place in range(inputs))}
    found: dict[int, dict[int, Order]] = {}
    for function in range(full(inputs)):
        members = {permuted(function, order): order for order in permutations(range(inputs))}
        if function == min(members) and not trivial & set(members):
            found[function] = members
    return found


def reordered(inputs: int, one: Circuit, order: Order) -> Circuit:
    """The circuit whose input p is the given one's input `order[p]`, as `permuted` does it to a table."""
    wires = {old: new for new, old in enumerate(order)}
    gates = {inputs + gate: (wires.get(a, a), wires.get(b, b)) for gate, (a, b) in enumerate(one)}
    return ordered(inputs, gates)


@cache
def designs(inputs: int, gates: int, each: int, draws: int, tries: int, spare: int = 1) -> Designs:
    """For each function up to `each` circuits of at most `gates` gates, and `spare` more than the smallest one known.

    They come smallest first. No wire of one is constant or computes what another wire does, all gates reach the output,
    and no two are one circuit in another order of gates. They are found among so many random ones, and by so many
    tries of a search for each class; what neither finds is not there.
    """
    known = {least: {searched(inputs, least, tries)} if tries else set[Circuit]() for least in classes(inputs)}
    for least, found in _drawn(inputs, gates, draws):
        known[least].add(found)
    return {
        function: chosen
        for least, members in classes(inputs).items()
        for function in members
        if (chosen := _chosen(inputs, known[least], least, function, gates, each, spare))
    }


@cache
def searched(inputs: int, function: int, tries: int) -> Circuit:
    """The smallest circuit that a search finds of a function, made smaller by walks over equal ones."""
    fitness = equals(lambda case: function >> case & 1, inputs, 1)
    return circuit(smallest(CGP(NODES, "nand"), fitness, tries=tries, steps=STEPS).net)


def _chosen(
    inputs: int, known: set[Circuit], least: int, function: int, gates: int, each: int, spare: int
) -> list[Circuit]:
    most = min(gates, min(map(len, known), default=0) + spare)
    orders = [order for order in permutations(range(inputs)) if permuted(least, order) == function]
    found = sorted({reordered(inputs, one, order) for one in known if len(one) <= most for order in orders})
    np.random.default_rng(function).shuffle(found)
    return sorted(found, key=len)[:each]


def _drawn(inputs: int, gates: int, draws: int) -> Iterator[tuple[int, Circuit]]:
    """Random circuits without gates that reach no output, each as one of the least function of its class."""
    rng = np.random.default_rng(0)
    for turn, begin in enumerate(range(0, draws, BLOCK)):
        fanin = drawn(inputs, gates + turn % LONGER, min(BLOCK, draws - begin), rng)
        kept, computed = alive(inputs, fanin), outputs(inputs, fanin)
        for row in np.flatnonzero(_plain(inputs, fanin, kept) & (kept.sum(axis=1) <= gates)):
            own = {inputs + gate: (int(a), int(b)) for gate, (a, b) in enumerate(fanin[row]) if kept[row, gate]}
            least, order = _least(inputs)[table(computed[row], inputs)]
            yield least, reordered(inputs, ordered(inputs, own), order)


def _plain(inputs: int, fanin: Fanin, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether no kept gate is constant, or computes what an input or another kept gate does, bool[circuits]."""
    found = values(inputs, fanin)
    apart = np.arange(1, 1 + fanin.shape[1], dtype=np.uint64)  # what no wire of fewer than six inputs is
    found[:, inputs:] = np.where(kept, found[:, inputs:], apart)
    same = np.sort(found, axis=1)
    constant = ((found == 0) | (found == np.uint64(~np.uint64(0))))[:, inputs:] & kept
    return np.asarray(~(same[:, 1:] == same[:, :-1]).any(axis=1) & ~constant.any(axis=1))


@cache
def _least(inputs: int) -> dict[int, tuple[int, Order]]:
    """For each function its class's least one, and the order that makes it that."""
    return {
        function: (least, tuple(int(place) for place in np.argsort(order)))
        for least, members in classes(inputs).items()
        for function, order in members.items()
    }
