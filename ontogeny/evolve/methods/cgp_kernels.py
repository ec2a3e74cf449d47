"""The inner loops of Cartesian genetic programming for numba: draw, change, evaluate what changed, judge, take back.

Genes int32[3 * nodes + outputs]: of each node its gate's truth table and two wires, then the wire of each output; wires
are numbered as in a netlist, without registers. A change is logged (gene, old, new), so that it can be taken back and
made again. The values of all wires are kept twice, uint64[2, wires, words], and `side` says which is in force: what a
change recomputes goes to the other side, and to take it back is to switch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ontogeny.machine.swarm.kernels import loop
from ontogeny.machine.swarm.vectors import ones


@loop
def word(rng: Any) -> Any:
    """The next 64 random bits; rng uint64[1] is all there is of the state. SplitMix64 (Steele, Lea and Flood 2014)."""
    rng[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = rng[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@loop
def below(rng: Any, count: int) -> Any:
    """A random number below `count`, which is below 2^32."""
    return np.int64(((word(rng) >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32))


@loop
def begin(genes: Any, nodes: int, inputs: int, functions: Any, rng: Any) -> None:
    """Random genes."""
    for node in range(nodes):
        genes[3 * node] = functions[below(rng, functions.size)]
        genes[3 * node + 1] = below(rng, inputs + node)
        genes[3 * node + 2] = below(rng, inputs + node)
    for place in range(3 * nodes, genes.size):
        genes[place] = below(rng, inputs + nodes)


@loop
def mark(genes: Any, nodes: int, inputs: int, active: Any, order: Any) -> Any:
    """active[wire] = 1 where an output depends on it; the number of active nodes, which are in `order`, last first."""
    active[:] = 0
    for place in range(3 * nodes, genes.size):
        active[genes[place]] = 1
    gates, last = 0, np.int64(-1)
    for place in range(3 * nodes, genes.size):
        last = max(last, np.int64(genes[place]) - inputs)
    for node in range(last, -1, -1):
        if active[inputs + node]:
            order[gates] = node
            gates += 1
            active[genes[3 * node + 1]] = 1
            active[genes[3 * node + 2]] = 1
    return gates


@loop
def mutate(genes: Any, nodes: int, inputs: int, functions: Any, active: Any, hits: int, rng: Any, log: Any) -> Any:
    """Changes genes drawn evenly until 1 to `hits` of them were active; how many changed, logged in int32[3, most].

    After Goldman and Punch 2015: no child computes by an exact copy, and there is no rate to set.
    """
    changed, left = 0, 1 + below(rng, hits) if hits > 1 else np.int64(1)
    while left > 0 and changed < log.shape[1]:
        gene = below(rng, genes.size)
        node = gene // 3
        if gene >= 3 * nodes:
            value, counts = below(rng, inputs + nodes), np.int64(1)
        elif gene == 3 * node:
            if functions.size == 1:
                continue
            value, counts = np.int64(functions[below(rng, functions.size)]), np.int64(active[inputs + node])
        else:
            value, counts = below(rng, inputs + node), np.int64(active[inputs + node])
        if value == genes[gene]:
            continue
        log[0, changed], log[1, changed], log[2, changed] = gene, genes[gene], value
        genes[gene] = value
        changed += 1
        left -= counts
    return changed


@loop
def take_back(genes: Any, log: Any, changed: Any, at_hand: Any, moved: Any) -> None:
    """The genes as they were before the changes, and the wires that moved back on their sides."""
    for at in range(changed - 1, -1, -1):
        genes[log[0, at]] = log[1, at]
    for at in range(moved):
        wire = at_hand.moved[at]
        at_hand.side[wire] = 1 - at_hand.side[wire]


@loop
def compute(genes: Any, node: Any, wire: Any, values: Any, side: Any) -> Any:
    """Computes a node to its other side; whether it differs from the side in force."""
    left, right, bits = genes[3 * node + 1], genes[3 * node + 2], np.int64(genes[3 * node])
    none = np.uint64(-(bits & 1))
    one = np.uint64(-((bits >> 1 ^ bits) & 1))
    two = np.uint64(-((bits >> 2 ^ bits) & 1))
    both = np.uint64(-((bits ^ bits >> 1 ^ bits >> 2 ^ bits >> 3) & 1))
    of_left, of_right, now, differs = side[left], side[right], side[wire], np.uint64(0)
    for at in range(values.shape[2]):
        x, y = values[of_left, left, at], values[of_right, right, at]
        value = none ^ (x & (one ^ (both & y))) ^ (two & y)
        differs |= value ^ values[now, wire, at]
        values[1 - now, wire, at] = value
    return differs != np.uint64(0)


class Space(NamedTuple):
    """The values of the wires in force, which wires count in parent and child, and scratch; arrays for the loops."""

    values: Any
    side: Any
    active: Any
    trial: Any
    order: Any
    dirty: Any
    moved: Any


@loop
def space(nodes: int, words: Any) -> Any:
    """Room for candidates on these cases, uint64[inputs, words]; nothing is active yet."""
    wires = words.shape[0] + nodes
    values = np.empty((2, wires, words.shape[1]), np.uint64)
    values[0, : words.shape[0]], values[1, : words.shape[0]] = words, words
    bytes_of = np.zeros((4, wires), np.uint8)
    order, moved = np.empty(nodes, np.int32), np.empty(wires, np.int32)
    return Space(values, bytes_of[0], bytes_of[1], bytes_of[2], order, bytes_of[3], moved)


@loop
def follow(genes: Any, nodes: Any, inputs: Any, at_hand: Any, log: Any, changed: Any, gates: Any) -> Any:
    """Recomputes the active nodes that the changes reach, as far as values differ; how many wires moved.

    `order` has the `gates` active nodes. What was active in the parent has its value; what was not is computed anew.
    """
    side, dirty, moved, order = at_hand.side, at_hand.dirty, at_hand.moved, at_hand.order
    active, values = at_hand.active, at_hand.values  # taken out once: within the loop each costs a count of references
    for at in range(changed):
        if log[0, at] < 3 * nodes:
            dirty[inputs + log[0, at] // 3] = 2
    count = 0
    for at in range(gates - 1, -1, -1):
        node = order[at]
        wire = inputs + node
        fresh = not active[wire]
        if fresh or dirty[wire] or (dirty[genes[3 * node + 1]] | dirty[genes[3 * node + 2]]) & 1:
            dirty[wire] = 0
            if compute(genes, node, wire, values, side) or fresh:
                side[wire] = 1 - side[wire]
                dirty[wire] = 1
                moved[count] = wire
                count += 1
    for at in range(count):
        dirty[moved[at]] = 0
    for at in range(changed):
        if log[0, at] < 3 * nodes:
            dirty[inputs + log[0, at] // 3] = 0
    return count


@loop
def cost(genes: Any, nodes: int, values: Any, side: Any, target: Any, planes: Any, weights: Any, limit: Any) -> Any:
    """Weighted bits that are wrong; once they are more than `limit`, some number above it.

    `target` uint64[outputs, words]; `planes` uint64[planes, outputs, words]: a bit weighs the sum of the weights whose
    planes have a one there.
    """
    found = 0
    for output in range(target.shape[0]):
        wire = genes[3 * nodes + output]
        now = side[wire]
        for at in range(values.shape[2]):
            wrong = values[now, wire, at] ^ target[output, at]
            if wrong:
                for plane in range(weights.size):
                    found += weights[plane] * ones(wrong & planes[plane, output, at])
        if found > limit:
            break
    return found


@loop
def accept(genes: Any, nodes: Any, inputs: Any, at_hand: Any, log: Any, changed: Any) -> None:
    """Makes the changes again, and what they lead to."""
    for at in range(changed):
        genes[log[0, at]] = log[2, at]
    gates = mark(genes, nodes, inputs, at_hand.trial, at_hand.order)
    follow(genes, nodes, inputs, at_hand, log, changed, gates)


@loop
def leg(
    genes: Any, functions: Any, rng: Any, offspring: int, hits: int, words: Any, target: Any, planes: Any, weights: Any,
    most: int, until: bool, told: Any,
) -> None:  # fmt: skip
    """Generations, in place, until `most` evaluations or, if `until`, the first that is solved.

    told int64[3] is then: error of the parent, its gates, evaluations. Whoever is no worse than the parent replaces
    it, the last among the best; once solved, who is correct and takes no more gates.
    """
    inputs, nodes, done, limit = words.shape[0], (genes.size - target.shape[0]) // 3, 0, np.int64(1) << 62
    at_hand, log = space(nodes, words), np.empty((3, 8 * genes.size), np.int32)
    best_log = np.empty_like(log)
    accept(genes, nodes, inputs, at_hand, log, 0)
    gates = mark(genes, nodes, inputs, at_hand.active, at_hand.order)
    error = cost(genes, nodes, at_hand.values, at_hand.side, target, planes, weights, limit)
    while done < most and not (until and error == 0):
        parent, best_changed, kept = error, 0, False
        for child in range(offspring):
            changed, count, found = (
                mutate(genes, nodes, inputs, functions, at_hand.active, hits, rng, log),
                0,
                parent + 1,
            )
            taken = mark(genes, nodes, inputs, at_hand.trial, at_hand.order)
            if error != 0 or taken <= gates:
                count = follow(genes, nodes, inputs, at_hand, log, changed, taken)
                found = cost(genes, nodes, at_hand.values, at_hand.side, target, planes, weights, error)
            if found <= error:
                error, gates, best_changed, kept = found, taken, changed, child == offspring - 1
                if not kept:
                    best_log[:, :changed] = log[:, :changed]
            if not kept:
                take_back(genes, log, changed, at_hand, count)
        done += offspring
        if best_changed:
            if not kept:
                accept(genes, nodes, inputs, at_hand, best_log, best_changed)
            at_hand.active[:] = at_hand.trial
    told[0], told[1], told[2] = error, gates, done
