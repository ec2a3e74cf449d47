"""Loops over many rows of gates' genes for numba: drawn, changed, crossed, measured, judged. Rows as in cgp_kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ontogeny.evolve.methods.cgp_kernels import Shape, begin, below, mark, most_changes, mutate
from ontogeny.evolve.methods.cgp_values import cost, evaluate, settle, wanted, wires
from ontogeny.machine.swarm.kernels import loop


@loop
def draw(genes: Any, nodes: int, inputs: int, functions: Any, rng: Any) -> None:
    """Random rows."""
    for row in range(genes.shape[0]):
        begin(genes[row], nodes, inputs, functions, rng)


@loop
def change(genes: Any, nodes: int, inputs: int, functions: Any, hits: int, rng: Any) -> None:
    """Each row changed in 1 to `hits` genes that count, in place."""
    active, order = np.empty(inputs + nodes, np.uint8), np.empty(nodes, np.int32)
    shape = Shape(nodes, inputs, genes.shape[1] - 3 * nodes, functions.size)
    log = np.empty(3 * most_changes(shape), np.int32)
    for row in range(genes.shape[0]):
        mark(genes[row], shape, active, order)
        mutate(genes[row], shape, functions, active, hits, rng, log)


@loop
def cross(genes: Any, other: Any, nodes: int, rng: Any) -> None:
    """Each row takes the nodes and outputs between two random places, round the end, from the other's row, in place."""
    units = genes.shape[1] - 2 * nodes
    for row in range(genes.shape[0]):
        first, count = below(rng, units), below(rng, units)
        for at in range(first, first + count):
            unit = at % units
            if unit < nodes:
                genes[row, 3 * unit : 3 * unit + 3] = other[row, 3 * unit : 3 * unit + 3]
            else:
                genes[row, 2 * nodes + unit] = other[row, 2 * nodes + unit]


@loop
def measure(genes: Any, nodes: int, inputs: int, sizes: Any) -> None:
    """sizes[row] = the nodes of a row that its outputs depend on."""
    active, order = np.empty(inputs + nodes, np.uint8), np.empty(nodes, np.int32)
    shape = Shape(nodes, inputs, genes.shape[1] - 3 * nodes, 0)
    for row in range(genes.shape[0]):
        sizes[row] = mark(genes[row], shape, active, order)


@loop
def depth(genes: Any, nodes: int, inputs: int, depths: Any) -> None:
    """depths[row] = the most gates between an input and an output of a row."""
    levels = np.zeros(inputs + nodes, np.int64)
    for row in range(genes.shape[0]):
        for node in range(nodes):
            left, right = genes[row, 3 * node + 1], genes[row, 3 * node + 2]
            levels[inputs + node] = 1 + max(levels[left], levels[right])
        depths[row] = 0
        for place in range(3 * nodes, genes.shape[1]):
            depths[row] = max(depths[row], levels[genes[row, place]])


@loop
def judge(genes: Any, room: Any, target: Any, planes: Any, weights: Any, errors: Any) -> None:
    """errors[row] = the weighted wrong bits of a row; `room` as `cgp_values.room` makes it."""
    goal, limit = wanted(target, planes, weights), np.int64(1) << 62
    for row in range(genes.shape[0]):
        at = wires(genes[row], 0, target.shape[0], room)
        evaluate(at, settle(at))
        errors[row] = cost(at, goal, limit)
