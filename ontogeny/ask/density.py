"""How many elements pass through each pixel, from the index, at the cost of the pixels and not of the values.

Each element is a line through its numbers at the recorded steps. A column of pixels that holds several steps has the
mean over them; one between two steps has the places of the lines there. So every column adds up to the number of
elements, those above, below, and not finite included. A picture is a product of three sparse matrices: which nodes of
the index a column of pixels takes, their histograms, and which share of a bin lies in which row of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ontogeny.ask.bins import Counts, Floats, Singles, spread
from ontogeny.ask.pyramid import Node, Pyramid, Stats, row_numbers


@dataclass(frozen=True, slots=True)
class Density:
    """Elements per pixel [rows, columns], the lowest row first; and per column those below, above and not finite.

    `low`, `high` and `mean` are of the finite numbers at the steps of each column.
    """

    counts: Singles
    below: Floats
    above: Floats
    nonfinite: Floats
    low: Floats
    high: Floats
    mean: Floats


@dataclass(frozen=True, slots=True)
class Plan:
    """Which numbers each column of pixels shows: recorded steps `first` to `last`, or where `first` is `last` the lines
    at `share` of the way to step `first` from the one before it."""

    edges: Floats
    first: Counts
    last: Counts
    share: Floats


def planned(pyramid: Pyramid, inside: slice, columns: int) -> Plan:
    """The columns of a picture of some of the recorded steps."""
    steps = pyramid.steps
    low, high = float(steps[inside.start]), float(steps[inside.stop - 1])
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, columns + 1)
    row, share = row_numbers(steps, (edges[1:] + edges[:-1]) / 2)
    cuts, _ = row_numbers(steps, edges)
    first, last = cuts[:-1].copy(), cuts[1:].copy()
    last[-1] = inside.stop
    single = (last - first < 2) & ((inside.stop - inside.start < columns) | (last == first))
    first, last = np.where(single, row, first), np.where(single, row, last)
    return Plan(edges, first, last, share)


def turning(edges: Floats) -> Any:
    """The share of each bin that lies below edges [rows + 1], in each row between two of them, and above: sparse."""
    return spread(np.concatenate([[-(2.0**128)], edges, [2.0**128]]))


def from_index(pyramid: Pyramid, plan: Plan, tensors: Sequence[str], turn: Any) -> Density:
    """The density of some tensors together; `turn` is `turning` of the edges between rows of pixels."""
    columns = len(plan.first)
    found = np.zeros((columns, turn.shape[1]))
    stats = np.repeat([[np.inf], [-np.inf], [0.0], [0.0], [0.0]], columns, axis=1)
    elements = np.zeros(columns)
    for (some, node_columns, places_of, weights), node in _parts(pyramid, plan):
        for tensor in tensors:
            if (held := pyramid.read(node, tensor)) is None:
                continue
            used, places = np.unique(node_columns, return_inverse=True)
            gather = csr_array((weights, (some, places)), shape=(columns, len(used)))
            found += gather @ (held[0].taken(used).matrix @ turn).toarray()
            elements += _gather_stats(stats, held[1], some, places_of, weights)
    return _density(found, elements, Stats.of(stats))


def _parts(pyramid: Pyramid, plan: Plan) -> list[tuple[tuple[Counts, Counts, Counts, Floats], Node]]:
    """The nodes of all columns, those of one file and size together.

    Of each the column of pixels, the columns and the places of stats in the file, and its weight.
    """
    found: dict[tuple[int, int, int], list[tuple[int, Node, float]]] = {}
    for column, (first, last, share) in enumerate(zip(plan.first, plan.last, plan.share, strict=True)):
        single = first == last
        nodes = [pyramid.node(int(first), float(share))] if single else pyramid.cover(int(first), int(last))
        steps = sum(node.steps for node in nodes)
        for node in nodes:
            found.setdefault((node.level, node.file, node.size), []).append((column, node, 1 / steps))
    parts = []
    for members in found.values():
        columns, nodes_of, weights = zip(*members, strict=True)
        at = np.array([(node.column, pyramid.place(node)) for node in nodes_of])
        parts.append(((np.array(columns), at[:, 0], at[:, 1], np.array(weights)), nodes_of[0]))
    return parts


def _gather_stats(stats: Floats, held: Stats, some: Counts, at: Counts, weights: Floats) -> Floats:
    """Adds those of some nodes to their columns; gives back how many elements that is in each column."""
    np.minimum.at(stats[0], some, held.low[at])
    np.maximum.at(stats[1], some, held.high[at])
    for place, rows in enumerate((held.total, held.finite, held.nonfinite), 2):
        np.add.at(stats[place], some, rows[at] * weights)
    elements = np.zeros(stats.shape[1])
    np.add.at(elements, some, (held.finite + held.nonfinite)[at] * weights)
    return elements


def _density(found: Floats, elements: Floats, stats: Stats) -> Density:
    counts = np.ascontiguousarray(found[:, 1:-1].T, np.float32)
    nonfinite = np.maximum(0.0, elements - found.sum(1))
    nonfinite[nonfinite < 1e-6 * np.maximum(1, elements)] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(stats.finite > 0, stats.total / stats.finite, np.nan)
    return Density(counts, found[:, 0], found[:, -1], nonfinite, stats.low, stats.high, mean)
