"""Loops over many rows of gates' genes for numba: drawn, changed, crossed, measured, judged. Rows as in cgp_kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ontogeny.evolve.methods.cgp_kernels import accept, begin, below, cost, mark, mutate, space
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
    log = np.empty((3, 8 * genes.shape[1]), np.int32)
    for row in range(genes.shape[0]):
        mark(genes[row], nodes, inputs, active, order)
        mutate(genes[row], nodes, inputs, functions, active, hits, rng, log)


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
    for row in range(genes.shape[0]):
        sizes[row] = mark(genes[row], nodes, inputs, active, order)


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
def judge(genes: Any, nodes: int, words: Any, target: Any, planes: Any, weights: Any, errors: Any) -> None:
    """errors[row] = the weighted wrong bits of a row."""
    at_hand, none, limit = space(nodes, words), np.empty((3, 0), np.int32), np.int64(1) << 62
    for row in range(genes.shape[0]):
        at_hand.active[:] = 0
        accept(genes[row], nodes, words.shape[0], at_hand, none, 0)
        errors[row] = cost(genes[row], nodes, at_hand.values, at_hand.side, target, planes, weights, limit)
