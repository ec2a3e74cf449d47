"""How many elements pass through each pixel, from the index, at the cost of the pixels and not of the values.

Each element is a line through its numbers at the recorded steps. A column of pixels that holds several steps has the
mean over them; one between two steps has the places of the lines there. So every column adds up to the number of
elements, those above, below, and not finite included. A picture is a product of three sparse matrices: which nodes of
the index a column of pixels takes, their histograms, and which share of a bin lies in which row of pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
class Part:
    """What some columns of pixels take of one file: pixel columns, columns there, places of their stats, weights."""

    node: Node
    pixels: Counts
    columns: Counts
    places: Counts
    weights: Floats


@dataclass(frozen=True, slots=True)
class Plan:
    """Which numbers each column of pixels shows: recorded steps `first` to `last`, or where `first` is `last` the lines
    on the way to step `first` from the one before it; and `parts` of the index that hold them."""

    edges: Floats
    first: Counts
    last: Counts
    parts: tuple[Part, ...]


def planned(pyramid: Pyramid, inside: slice, columns: int) -> Plan:
    """The columns of a picture of some of the recorded steps."""
    steps = pyramid.steps
    low, high = float(steps[inside.start]), float(steps[inside.stop - 1])
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, columns + 1)
    row, share = row_numbers(steps, (edges[1:] + edges[:-1]) / 2)
    cuts = _snapped(row_numbers(steps, edges)[0], (inside.stop - inside.start) / columns)
    first, last = cuts[:-1].copy(), cuts[1:].copy()
    last[-1] = inside.stop
    single = (last - first < 2) & ((inside.stop - inside.start < columns) | (last == first))
    first, last = np.where(single, row, first), np.where(single, row, last)
    return Plan(edges, first, last, tuple(_parts(pyramid, first, last, share)))


def _snapped(cuts: Counts, steps: float) -> Counts:
    """Cuts between columns of so many steps, but for the outer ones moved to groups of at most a quarter of them."""
    unit = 8 ** max(0, int(np.log(max(1.0, steps / 4)) / np.log(8) + 1e-9))
    cuts[1:-1] = np.clip(np.round(cuts[1:-1] / unit) * unit, cuts[0], cuts[-1])
    return cuts


def turning(edges: Floats) -> Any:
    """The share of each bin that lies below edges [rows + 1], in each row between two of them, and above: sparse."""
    return spread(np.concatenate([[-(2.0**128)], edges, [2.0**128]]))


def from_index(pyramid: Pyramid, plan: Plan, tensors: Sequence[str], turn: Any) -> Density:
    """The density of some tensors together; `turn` is `turning` of the edges between rows of pixels."""
    columns = len(plan.first)
    found = np.zeros((columns, turn.shape[1]))
    stats = np.repeat([[np.inf], [-np.inf], [0.0], [0.0], [0.0]], columns, axis=1)
    elements = np.zeros(columns)
    for part in plan.parts:
        used, places = np.unique(part.columns, return_inverse=True)
        gather = csr_array((part.weights, (part.pixels, places)), shape=(columns, len(used)))
        for tensor in tensors:
            if (held := pyramid.read(part.node, tensor)) is not None:
                found += gather @ (held[0].taken(used).matrix @ turn).toarray()
                elements += _gather_stats(stats, held[1], part)
    return _density(found, elements, Stats.of(stats))


def _parts(pyramid: Pyramid, first: Counts, last: Counts, share: Floats) -> Iterator[Part]:
    """The nodes of all columns, those of one file and size together."""
    found: dict[tuple[int, int, int], list[tuple[int, Node, float]]] = {}
    for pixel, (begin, end, way) in enumerate(zip(first.tolist(), last.tolist(), share.tolist(), strict=True)):
        nodes = [pyramid.node(begin, way)] if begin == end else pyramid.cover(begin, end)
        steps = sum(node.steps for node in nodes)
        for node in nodes:
            found.setdefault((node.level, node.file, node.size), []).append((pixel, node, 1 / steps))
    for members in found.values():
        pixels, nodes_of, weights = zip(*members, strict=True)
        columns, places = [node.column for node in nodes_of], [pyramid.place(node) for node in nodes_of]
        yield Part(nodes_of[0], np.array(pixels), np.array(columns), np.array(places), np.array(weights))


def _gather_stats(stats: Floats, held: Stats, part: Part) -> Floats:
    """Adds those of some nodes to their columns; gives back how many elements that is in each column."""
    some, at, weights = part.pixels, part.places, part.weights
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
