"""Adding the steps by which a run went on to an index of shapes: only they are read, the rest is in the index.

The result lies in a folder of its own, like any index, so that the one it came from stays whole until it is there.
`shape_lanes` says what is kept of each series, and how inexact a vector can become. Every answer is the one that an
index made at once would give: bounds rule out less where they are wider, and what is left is compared in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ontogeny.ask.series import UPDATES, Span
from ontogeny.ask.shape_build import Gathered, finish
from ontogeny.ask.shape_index import ShapeIndex, Slots
from ontogeny.ask.shape_lanes import CONSTANT, NOT_FINITE, SHAPED, SUM, added, at_once
from ontogeny.record.trace.traces import Array, Traces, Window


def further(base: ShapeIndex, span: Span) -> Span:
    """The part of a span that comes after what an index holds."""
    before = int(span.steps[base.length - 1])
    begin = before if span.over == UPDATES else int(span.steps[base.length])
    return Span(span.over, span.steps[base.length :], Window(begin, span.states.stop))


def update(folder: Path, base: ShapeIndex, traces: Traces, span: Span, about: Mapping[str, Any]) -> None:
    """Writes the files of the index of a span into an empty folder, given one of its first steps.

    Raises CannotBeAdded where that would be too inexact, or numbers are beyond what f64 holds the squares of.
    """
    part = further(base, span)
    gathered = Gathered.empty(folder, traces, span, part.rows)
    slots = np.empty(len(base.kinds), np.int64)
    slots[base.order] = np.arange(len(base.order))
    for piece in traces.pieces(part.states):
        begin = gathered.starts[piece.tensor.name] + piece.first
        if len(piece.values) != part.rows:
            continue
        gathered.values.take(begin, piece.values)
        width = at_once(span.length)
        for lane in range(0, piece.values.shape[1], width):
            _take(gathered, base, slots, begin + lane, piece.values[:, lane : lane + width], part)
    values = np.concatenate([base.sample, gathered.values.found[part.over == UPDATES :]])
    worst = gathered.worst
    exact = {"away": worst.away(span.length), "reach": worst.reach, "grown": True}
    finish(folder, gathered, span, np.zeros((span.length, 0)), values, {**about, **exact})


def _take(gathered: Gathered, base: ShapeIndex, slots: Slots, begin: int, values: Array, part: Span) -> None:
    """Adds the further numbers of the elements from number `begin`."""
    elements = np.arange(begin, begin + values.shape[1])
    kinds = base.kinds[elements]
    able = np.flatnonzero((kinds == SHAPED) | (kinds == CONSTANT))
    gathered.kinds[elements] = kinds
    elements, was = elements[able], np.flatnonzero(kinds[able] == SHAPED)
    numbers, lanes = np.zeros((len(elements), base.length), np.int16), base.lanes[elements]
    numbers[was] = base.numbers[slots[elements[was]]]
    lanes[kinds[able] == CONSTANT, SUM:] = 0.0
    numbers, lanes, finite, moving = added(numbers, lanes, part.series(values[:, able]))
    gathered.kinds[elements] = np.where(finite, CONSTANT, NOT_FINITE)
    gathered.lanes[elements] = lanes
    shaped = np.flatnonzero(finite & moving)
    gathered.worst.meet(lanes[shaped], numbers.shape[1])
    gathered.put(elements[shaped], numbers[shaped])
