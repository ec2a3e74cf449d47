"""Building an index of shapes: one pass over the trajectories, then two over the 16-bit vectors that it left.

Memory stays bounded: the trajectories come in pieces, and what grows with their number lies in mapped files, but for
some numbers an element while the k-d order is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.format import open_memmap

from ontogeny.ask import shape_sample
from ontogeny.ask.series import Floats, Span, centred, total, without
from ontogeny.ask.shape_index import CHUNK, LEAF, Slots
from ontogeny.ask.shape_lanes import (
    CONSTANT,
    EPS32,
    MISSING,
    NOT_FINITE,
    SHAPED,
    UNIT,
    Numbers,
    Worst,
    at_once,
    first,
    rounded_away,
    vectors,
)
from ontogeny.ask.shape_sample import Heads
from ontogeny.record.trace.traces import Array, Traces

MODES = 8
AIMED = 0.95
"""The threshold that the head's length is chosen for; any other is answered as exactly."""
CHECK = 800.0
"""What comparing one vector costs, in numbers of heads (measured: 60 ns; 0.08 ns, most leaves being passed over)."""
LENGTHS = (2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64)


@dataclass
class Gathered:
    """What a pass over trajectories leaves, in mapped files: the numbers of all series with a shape, and whose.

    `kinds` and `lanes`, what further steps need to know, are those of all elements, by number; `values` are the
    sample's. Of `numbers` and `elements` the first `count` rows are taken.
    """

    numbers: Numbers
    elements: Slots
    lanes: Floats
    kinds: npt.NDArray[np.uint8]
    starts: dict[str, int]
    values: shape_sample.Values
    worst: Worst
    count: int = 0

    @staticmethod
    def empty(folder: Path, traces: Traces, span: Span, states: int, growing: bool = True) -> Gathered:
        """Room for all series of a span; of the sample, for so many states; without lanes where it is not growing."""
        ends = np.cumsum([0, *(tensor.size for tensor in traces.tensors.values())])
        starts, elements = dict(zip(traces.tensors, ends.tolist(), strict=False)), int(ends[-1])
        room = max(1, elements)
        return Gathered(
            open_memmap(folder / "raw.npy", "w+", np.int16, (room, span.length)),
            open_memmap(folder / "elements.npy", "w+", np.int64, (room,)),
            open_memmap(folder / "lanes.npy", "w+", np.float64, (room if growing else 0, 4)),
            np.full(elements, MISSING, np.uint8),
            starts,
            shape_sample.Values(states, elements, traces.tensors),
            Worst(),
        )

    def put(self, elements: Slots, numbers: Numbers) -> None:
        """Adds series that have a shape."""
        into = slice(self.count, self.count + len(elements))
        self.numbers[into], self.elements[into] = numbers, elements
        self.kinds[elements] = SHAPED
        self.count += len(elements)

    def counts(self) -> dict[str, Any]:
        """How many elements there are of each kind, and the number of each tensor's first."""
        kinds = np.bincount(self.kinds, minlength=4).tolist()
        named = {"shaped": SHAPED, "constant": CONSTANT, "not_finite": NOT_FINITE, "missing": MISSING}
        return {"elements": len(self.kinds), **{name: kinds[at] for name, at in named.items()}, "starts": self.starts}


def build(folder: Path, traces: Traces, span: Span, removed: Floats, about: Mapping[str, Any]) -> None:
    """Writes the files of an index of all series of a span, freed of `removed` modes, into an empty folder."""
    gathered = _gathered(folder, traces, span, removed)
    exact = {"away": rounded_away(span.length), "reach": 1.0, "grown": False}
    finish(folder, gathered, span, removed, gathered.values.found, {**about, **exact})


def finish(
    folder: Path, gathered: Gathered, span: Span, removed: Floats, values: Array, about: Mapping[str, Any]
) -> None:
    """Makes an index of what was gathered, given the sample's values over all states of the span."""
    _, sample = shape_sample.series(values, span, removed)
    turned = shape_sample.units(sample)
    energy, directions = shape_sample.directions(turned, span.length)
    basis = directions[:, : _head_length(turned, directions)].astype(np.float32)
    heads = _heads(folder, gathered, basis, bool(about["grown"]))
    order = _ordered(heads)
    kept = _write_in_order(folder, gathered, heads, order)
    saved: dict[str, Array] = {"basis": basis, "modes": directions[:, :MODES], "removed": removed}
    saved |= {"kinds": gathered.kinds, "sample": values}
    for name, array in saved.items():
        np.save(folder / f"{name}.npy", array)
    np.savez(folder / "leaves.npz", allow_pickle=False, **leaves_of(kept))
    said = {**about, "counts": gathered.counts(), "head": basis.shape[1], "skew": skew(basis)}
    said["energy"] = energy[:MODES].tolist()
    (folder / "about.json").write_text(json.dumps(said), encoding="utf-8")
    for name in ("raw", "elements", "raw-heads"):
        (folder / f"{name}.npy").unlink(missing_ok=True)


def _gathered(folder: Path, traces: Traces, span: Span, removed: Floats) -> Gathered:
    """The one pass over the trajectories: unit vectors of all that have a shape, and whose they are."""
    gathered = Gathered.empty(folder, traces, span, span.rows, not removed.shape[1])
    for piece in traces.pieces(span.states):
        begin = gathered.starts[piece.tensor.name] + piece.first
        if len(piece.values) != span.rows:
            continue
        gathered.values.take(begin, piece.values)
        width = at_once(span.rows)
        for lane in range(0, piece.values.shape[1], width):
            _take(gathered, begin + lane, piece.values[:, lane : lane + width], span, removed)
    return gathered


def _take(gathered: Gathered, begin: int, values: Array, span: Span, removed: Floats) -> None:
    """Takes the series of the elements from number `begin`."""
    found = centred(span.series(values))
    left = without(found.values, removed) if removed.shape[1] else found.values
    squares = total(left * left)
    shaped = np.flatnonzero(squares > 0)
    elements = np.arange(begin, begin + len(squares))
    gathered.kinds[elements] = np.where(found.unsound, NOT_FINITE, CONSTANT)
    if len(gathered.lanes):
        gathered.lanes[begin : begin + len(elements)] = first(found, squares)
    part = left if len(shaped) == len(elements) else left[:, shaped]
    numbers = np.clip(np.rint(part * (1 / (UNIT * np.sqrt(squares[shaped])))), -32767, 32767).astype(np.int16).T
    gathered.put(elements[shaped], numbers)


def _head_length(sample: Heads, directions: Floats, queries: int = 64) -> int:
    """The length of heads that makes a search cheapest: longer ones cost more to read and leave less to compare."""
    turned = sample[:: -(-len(sample) // 4096) or 1] @ directions.astype(np.float32)
    asked, longest = turned[:: -(-len(turned) // queries) or 1], turned.shape[1]
    tried = [k for k in LENGTHS if k < longest] or [1]
    costs = []
    for k in tried:
        rest, outside = (np.linalg.norm(part[:, k:], axis=1) for part in (turned, asked))
        bounds = turned[:, :k] @ asked[:, :k].T + rest[:, None] * outside
        costs.append(k + 1 + CHECK * float((bounds >= AIMED).mean()) if bounds.size else k)
    return tried[int(np.argmin(costs))]


def _heads(folder: Path, gathered: Gathered, basis: Heads, grown: bool) -> Heads:
    """Heads and rests [k + 1, n] of all vectors. A rest is rounded up by what f32 can lose in it."""
    k, length = basis.shape[1], basis.shape[0]
    raw = gathered.numbers[: gathered.count]
    heads: Heads = open_memmap(folder / "raw-heads.npy", "w+", np.float32, (k + 1, max(1, len(raw))))
    for begin in range(0, len(raw), at_once(length)):
        into = slice(begin, min(begin + at_once(length), len(raw)))
        whole = vectors(raw[into], gathered.lanes[gathered.elements[into]] if grown else None)
        head = whole @ basis
        whole -= head @ basis.T
        rest = np.sqrt(np.einsum("nt,nt->n", whole, whole))
        heads[:k, into] = head.T
        heads[k, into] = rest * (1 + (length + 16) * EPS32) + (k + 4) * k**0.5 * 2 * EPS32
    return heads[:, : len(raw)]


def skew(basis: Heads) -> float:
    """An upper bound of |B'(z - Ba)| over all vectors z with a = B'z computed in f32."""
    length, k = basis.shape
    wide = basis.astype(np.float64)
    return float(1.1 * (k**0.5 * length * EPS32 + np.linalg.norm(np.eye(k) - wide.T @ wide)))


def _ordered(heads: Heads) -> Slots:
    """A k-d order: halved again and again at the median of the number that varies most, down to leaves."""
    order = np.arange(heads.shape[1])
    waiting = [(0, len(order))]
    while waiting:
        first, last = waiting.pop()
        leaves = -(-(last - first) // LEAF)
        if leaves < 2:
            order[first:last].sort()
            continue
        members = order[first:last]
        some = members[:: max(1, len(members) // 1024)]
        widest = int(np.argmax(heads[:, some].var(1)))
        middle = leaves // 2 * LEAF
        order[first:last] = members[np.argpartition(heads[widest, members], middle)]
        waiting += [(first, first + middle), (first + middle, last)]
    return order


def leaves_of(heads: Heads) -> dict[str, Floats]:
    """Boxes and balls around the heads and rests [k + 1, n] of each leaf, none smaller than it is."""
    parts = [_leaves(heads[:, first : first + CHUNK]) for first in range(0, heads.shape[1], CHUNK)]
    none = {name: np.zeros((len(heads), 0)) for name in ("low", "high", "centre")} | {"radius": np.zeros(0)}
    return {name: np.concatenate([empty, *(part[name] for part in parts)], axis=-1) for name, empty in none.items()}


def _leaves(heads: Heads) -> dict[str, Floats]:
    """The leaves of one chunk; the last is filled up with copies of its last element."""
    lacking = -heads.shape[1] % LEAF
    whole = np.concatenate([heads, np.repeat(heads[:, -1:], lacking, axis=1)], axis=1).astype(np.float64)
    parts = whole.reshape(len(whole), -1, LEAF)
    centre = parts.mean(2)
    away = np.square(parts - centre[:, :, None]).sum(0).max(1)
    found = {"low": parts.min(2), "high": parts.max(2), "centre": centre}
    return {**found, "radius": np.sqrt(away) * (1 + 1e-12)}


def _write_in_order(folder: Path, gathered: Gathered, heads: Heads, order: Slots) -> Heads:
    """The files in the order of the leaves; gives back the heads."""
    numbers = open_memmap(folder / "vectors.npy", "w+", np.int16, (len(order), gathered.numbers.shape[1]))
    kept: Heads = open_memmap(folder / "heads.npy", "w+", np.float32, heads.shape)
    owners = open_memmap(folder / "order.npy", "w+", np.int64, order.shape)
    width = at_once(numbers.shape[1])
    for begin in range(0, len(order), width):
        members = order[begin : begin + width]
        into = slice(begin, begin + len(members))
        numbers[into], owners[into] = gathered.numbers.take(members, axis=0), gathered.elements[members]
        kept[:, into] = heads[:, members]
    return kept
