"""The values of a candidate's wires, for numba: all of them, or only those that a change reaches, and what is wrong.

Each wire has two slots of words, `slot` says which is in force: what a change recomputes goes into the other one, and
to take it back is to switch. Where a wire's value is right, it is `known`: of the parent's active nodes, and of those
that a child needs beside them, which are worked out when they are met. From a changed node on, whoever takes a value
that moved is `pending`, a bit for each node; `taker` and `after` are lists of the active nodes that take a wire.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ontogeny.evolve.methods.cgp_kernels import Shape, mark
from ontogeny.isa.netlist import Words
from ontogeny.machine.swarm.kernels import loop
from ontogeny.machine.swarm.pointers import pointer
from ontogeny.machine.swarm.vectors import ones


class Room(NamedTuple):
    """Arrays for candidates on some cases; `room` makes them, and whoever calls a loop with them holds them."""

    values: Any
    slot: Any
    known: Any
    order: Any
    pending: Any
    taker: Any
    after: Any
    moved: Any
    met: Any
    pile: Any
    trial: Any
    log: Any
    best: Any


class Wires(NamedTuple):
    """A candidate and its wires, by pointers into a `Room`."""

    genes: Any
    shape: Any
    words: Any
    values: Any
    slot: Any
    known: Any
    order: Any
    pending: Any
    taker: Any
    after: Any
    moved: Any
    met: Any
    pile: Any


class Wanted(NamedTuple):
    """What is wanted, by pointers: `target` uint64[outputs, words]; `planes` uint64[planes, outputs, words].

    A bit weighs the sum of the `weights` int64[planes] whose planes have a one there.
    """

    target: Any
    planes: Any
    weights: Any
    count: Any


def room(nodes: int, outputs: int, words: Words) -> Room:
    """Room for candidates of so many nodes and outputs on these cases, uint64[inputs, n]."""
    inputs, most = len(words), 8 * (3 * nodes + outputs)
    wires = inputs + nodes
    values = np.empty((2 * wires, words.shape[1]), np.uint64)
    values[: 2 * inputs : 2] = words
    counts = {"order": nodes, "taker": wires, "after": 2 * nodes, "moved": wires, "met": wires, "pile": 2 * wires + 2,
              "log": 3 * most, "best": 3 * most}  # fmt: skip
    lists = {name: np.empty(count, np.int32) for name, count in counts.items()}
    marks = {name: np.zeros(wires, np.uint8) for name in ("known", "trial")}
    slot, pending = 2 * np.arange(wires, dtype=np.int32), np.zeros(-(-nodes // 64), np.uint64)
    return Room(values=values, slot=slot, pending=pending, **marks, **lists)


@loop
def wires(genes: Any, functions: int, outputs: int, at: Any) -> Any:
    """A candidate in a room; nothing is known yet."""
    inputs = at.known.size - at.order.size
    return Wires(
        pointer(genes), Shape(at.order.size, inputs, outputs, functions), at.values.shape[1], pointer(at.values),
        pointer(at.slot), pointer(at.known), pointer(at.order), pointer(at.pending), pointer(at.taker),
        pointer(at.after), pointer(at.moved), pointer(at.met), pointer(at.pile),
    )  # fmt: skip


@loop
def wanted(target: Any, planes: Any, weights: Any) -> Any:
    """Pointers to what is wanted."""
    return Wanted(pointer(target), pointer(planes), pointer(weights), weights.size)


@loop
def compute(genes: Any, node: Any, wire: Any, values: Any, slot: Any, words: Any) -> Any:
    """Computes a node into its wire's other slot; whether it differs from the one in force.

    The first word stands alone: most tables have no other, and a loop's vectors would cost more than they save.
    """
    bits = np.int64(genes[3 * node])
    none = np.uint64(-(bits & 1))
    one = np.uint64(-((bits >> 1 ^ bits) & 1))
    two = np.uint64(-((bits >> 2 ^ bits) & 1))
    both = np.uint64(-((bits ^ bits >> 1 ^ bits >> 2 ^ bits >> 3) & 1))
    left, right = slot[genes[3 * node + 1]] * words, slot[genes[3 * node + 2]] * words
    now, then = slot[wire] * words, (slot[wire] ^ 1) * words
    x, y = values[left], values[right]
    value = none ^ (x & (one ^ (both & y))) ^ (two & y)
    differs = value ^ values[now]
    values[then] = value
    for at in range(1, words):
        x, y = values[left + at], values[right + at]
        value = none ^ (x & (one ^ (both & y))) ^ (two & y)
        differs |= value ^ values[now + at]
        values[then + at] = value
    return differs != np.uint64(0)


@loop
def settle(at: Any) -> Any:
    """Marks what counts and lists who takes it; how many gates."""
    gates = mark(at.genes, at.shape, at.known, at.order)
    genes, taker, after = at.genes, at.taker, at.after
    for wire in range(at.shape.inputs + at.shape.nodes):
        taker[wire] = -1
    for place in range(gates):
        node = at.order[place]
        left, right = genes[3 * node + 1], genes[3 * node + 2]
        after[2 * node] = taker[left]
        taker[left] = 2 * node
        after[2 * node + 1] = taker[right]
        taker[right] = 2 * node + 1
    return gates


@loop
def evaluate(at: Any, gates: int) -> None:
    """The values of all the gates that count."""
    for place in range(gates - 1, -1, -1):
        node = at.order[place]
        wire = at.shape.inputs + node
        compute(at.genes, node, wire, at.values, at.slot, at.words)
        at.slot[wire] ^= 1


@loop
def unknown(at: Any, wire: Any) -> Any:
    """Whether a wire is a node's whose value is not known."""
    return wire >= at.shape.inputs and not at.known[wire]


@loop
def meet(at: Any, wire: Any, count: Any) -> Any:
    """Works out an unknown wire, and first what it depends on; how many were met by then, listed in `met`."""
    genes, pile = at.genes, at.pile
    pile[0], top = wire, 1
    while top:
        wire = pile[top - 1]
        if not unknown(at, wire):
            top -= 1
            continue
        node, before = wire - at.shape.inputs, top
        for place in (1, 2):
            if unknown(at, genes[3 * node + place]):
                pile[top] = genes[3 * node + place]
                top += 1
        if top == before:
            compute(genes, node, wire, at.values, at.slot, at.words)
            at.slot[wire] ^= 1
            at.known[wire] = 1
            at.met[count] = wire
            count += 1
            top -= 1
    return count


@loop
def await_changed(at: Any, log: Any, changed: Any) -> Any:
    """Active nodes that changed are pending; the first word of bits that has one, or the number of words."""
    first = (at.shape.nodes + 63) >> 6
    for place in range(changed):
        gene = log[3 * place]
        node = gene // 3
        if gene < 3 * at.shape.nodes and at.known[at.shape.inputs + node]:
            at.pending[node >> 6] |= np.uint64(1) << np.uint64(node & 63)
            first = min(first, node >> 6)
    return first


@loop
def move(at: Any, wire: Any) -> None:
    """The value just computed is in force, and whoever takes it is pending."""
    at.slot[wire] ^= 1
    entry = at.taker[wire]
    while entry >= 0:
        at.pending[entry >> 7] |= np.uint64(1) << np.uint64(entry >> 1 & 63)
        entry = at.after[entry]


@loop
def follow(at: Any, log: Any, changed: Any) -> Any:
    """Recomputes what the changes reach, as far as values differ; how many wires moved, and how many were met.

    Nodes stand in the order of evaluation, so the lowest pending one is next.
    """
    genes, pending, met, count = at.genes, at.pending, 0, 0
    for part in range(await_changed(at, log, changed), (at.shape.nodes + 63) >> 6):
        while pending[part]:
            bits = pending[part]
            node = 64 * part + ones((bits & (~bits + np.uint64(1))) - np.uint64(1))
            pending[part] = bits & (bits - np.uint64(1))
            for place in (1, 2):
                if unknown(at, genes[3 * node + place]):
                    met = meet(at, genes[3 * node + place], met)
            wire = at.shape.inputs + node
            if compute(genes, node, wire, at.values, at.slot, at.words):
                move(at, wire)
                at.moved[count] = wire
                count += 1
    for place in range(changed):
        gene = log[3 * place]
        if gene >= 3 * at.shape.nodes and unknown(at, genes[gene]):
            met = meet(at, genes[gene], met)
    return count, met


@loop
def forget(at: Any, moved: Any, met: Any) -> None:
    """The wires that moved back in their slots, and those that were met unknown again."""
    for place in range(moved):
        at.slot[at.moved[place]] ^= 1
    for place in range(met):
        at.known[at.met[place]] = 0


@loop
def cost(at: Any, wanted: Any, limit: Any) -> Any:
    """Weighted bits that are wrong; once they are more than `limit`, some number above it."""
    found, words, outputs = 0, at.words, at.shape.outputs
    for output in range(outputs):
        first = at.slot[at.genes[3 * at.shape.nodes + output]] * words
        for word in range(words):
            wrong = at.values[first + word] ^ wanted.target[output * words + word]
            if wrong:
                for plane in range(wanted.count):
                    cared = wanted.planes[(plane * outputs + output) * words + word]
                    found += wanted.weights[plane] * ones(wrong & cared)
        if found > limit:
            break
    return found
