"""Genes of Cartesian genetic programming, for numba: drawn, marked where outputs depend on them, changed.

Genes int32[3 * nodes + outputs]: of each node its gate's truth table and two wires, then the wire of each output; wires
are numbered as in a netlist, without registers. A change is logged as three numbers (gene, old, new), so that it can be
taken back and made again. What takes items alone takes arrays or pointers to them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ontogeny.machine.swarm.kernels import loop

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Shape(NamedTuple):
    """How many nodes a row of genes has, what they may take beside one another, outputs, and gates to draw from."""

    nodes: Any
    inputs: Any
    outputs: Any
    functions: Any


@loop
def mixed(state: Any) -> Any:
    """The random bits of a state."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@loop
def scaled(bits: Any, count: int) -> Any:
    """Random bits as a number below `count`, which is below 2^32."""
    return np.int64(((bits >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32))


@loop
def word(rng: Any) -> Any:
    """The next 64 random bits; rng uint64[1] is all there is of the state. SplitMix64 (Steele, Lea and Flood 2014)."""
    rng[0] += GOLDEN
    return mixed(rng[0])


@loop
def below(rng: Any, count: int) -> Any:
    """A random number below `count`, which is below 2^32."""
    return scaled(word(rng), count)


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
def mark(genes: Any, shape: Any, active: Any, order: Any) -> Any:
    """active[wire] = 1 where an output depends on it; the number of active nodes, which are in `order`, last first."""
    nodes, inputs = shape.nodes, shape.inputs
    for wire in range(inputs + nodes):
        active[wire] = 0
    gates, last = 0, np.int64(-1)
    for place in range(3 * nodes, 3 * nodes + shape.outputs):
        active[genes[place]] = 1
        last = max(last, np.int64(genes[place]) - inputs)
    for node in range(last, -1, -1):
        if active[inputs + node]:
            order[gates] = node
            gates += 1
            active[genes[3 * node + 1]] = 1
            active[genes[3 * node + 2]] = 1
    return gates


@loop
def most_changes(shape: Any) -> Any:
    """At most so many changes are made to a child; room for them in a log takes three times as many numbers."""
    return 8 * (3 * shape.nodes + shape.outputs)


@loop
def mutate(genes: Any, shape: Any, functions: Any, active: Any, hits: int, rng: Any, log: Any) -> Any:
    """Changes genes drawn evenly until 1 to `hits` of them were active; how many changed, logged in int32[3 * most].

    After Goldman and Punch 2015: no child computes by an exact copy, and there is no rate to set. What kind of gene was
    drawn is chosen by values, not by branches, since no processor can foretell it.
    """
    first_output, inputs, most = 3 * shape.nodes, shape.inputs, most_changes(shape)
    changed, left = np.int64(0), 1 + below(rng, hits) if hits > 1 else np.int64(1)
    state = rng[0]
    while left > 0 and changed < most:
        state += GOLDEN
        gene = scaled(mixed(state), first_output + shape.outputs)
        node, output = gene // 3, gene >= first_output
        is_gate = gene == 3 * node and not output
        if is_gate and shape.functions == 1:
            continue
        state += GOLDEN
        wires = inputs + (shape.nodes if output else node)
        value = scaled(mixed(state), shape.functions if is_gate else wires)
        table = np.int64(functions[value if is_gate else 0])
        value = table if is_gate else value
        counts = np.int64(active[0 if output else inputs + node])
        if value == genes[gene]:
            continue
        log[3 * changed], log[3 * changed + 1], log[3 * changed + 2] = gene, genes[gene], value
        genes[gene] = value
        changed += 1
        left -= 1 if output else counts
    rng[0] = state
    return changed


@loop
def make_again(genes: Any, log: Any, changed: Any) -> None:
    """The genes as they were after the changes."""
    for at in range(changed):
        genes[log[3 * at]] = log[3 * at + 2]


@loop
def take_back(genes: Any, log: Any, changed: Any) -> None:
    """The genes as they were before the changes."""
    for at in range(changed - 1, -1, -1):
        genes[log[3 * at]] = log[3 * at + 1]
