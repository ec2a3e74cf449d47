"""Building an index of shapes: one pass over the trajectories, then two over the 16-bit vectors that it left.

Memory stays bounded: the trajectories come in pieces, and what grows with their number lies in mapped files, but for
some numbers an element while the k-d order is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.format import open_memmap

from ontogeny.ask.series import Floats, Span, shapes, total, without
from ontogeny.ask.shape_index import CHUNK, EPS32, LEAF, UNIT, Slots
from ontogeny.record.trace.traces import Array, Traces

LANES = 4096
SAMPLE = 16384
MODES = 8
AIMED = 0.95
"""The threshold that the head's length is chosen for; any other is answered as exactly."""
CHECK = 800.0
"""What comparing one vector costs, in numbers of heads (measured: 60 ns; 0.08 ns, most leaves being passed over)."""
LENGTHS = (2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64)
Heads = npt.NDArray[np.float32]


@dataclass
class Counts:
    """Elements by kind: `shaped` are in the index; the others have no shape, or not at all of the window's steps."""

    elements: int = 0
    shaped: int = 0
    constant: int = 0
    not_finite: int = 0
    missing: int = 0
    starts: dict[str, int] = field(default_factory=dict)


def build(folder: Path, traces: Traces, span: Span, removed: Floats, about: Mapping[str, Any]) -> None:
    """Writes the files of an index of all series of a span, freed of `removed` modes, into an empty folder."""
    raw, elements, counts = _vectors(folder, traces, span, removed)
    sample = _sample(raw)
    energy, directions = _directions(sample, span.length)
    basis = directions[:, : _head_length(sample, directions)].astype(np.float32)
    heads = _heads(folder, raw, basis)
    order = _ordered(heads)
    kept = _write_in_order(folder, raw, elements, heads, order)
    np.save(folder / "basis.npy", basis)
    np.save(folder / "modes.npy", directions[:, :MODES])
    np.save(folder / "removed.npy", removed)
    np.savez(folder / "leaves.npz", allow_pickle=False, **leaves_of(kept))
    said = {**about, "counts": vars(counts), "head": basis.shape[1], "skew": skew(basis)}
    said["energy"] = energy[:MODES].tolist()
    (folder / "about.json").write_text(json.dumps(said), encoding="utf-8")
    for name in ("raw", "elements", "raw-heads"):
        (folder / f"{name}.npy").unlink(missing_ok=True)


def _vectors(folder: Path, traces: Traces, span: Span, removed: Floats) -> tuple[Any, Slots, Counts]:
    """The one pass over the trajectories: unit vectors of all that have a shape, and whose they are."""
    counts = Counts()
    for name, tensor in traces.tensors.items():
        counts.starts[name] = counts.elements
        counts.elements += tensor.size
    raw = open_memmap(folder / "raw.npy", "w+", np.int16, (max(1, counts.elements), span.length))
    elements = open_memmap(folder / "elements.npy", "w+", np.int64, (max(1, counts.elements),))
    seen = 0
    for piece in traces.pieces(span.states):
        seen += piece.values.shape[1]
        if len(piece.values) != span.rows:
            counts.missing += piece.values.shape[1]
            continue
        for first in range(0, piece.values.shape[1], LANES):
            found, shaped = quantised(piece.values[:, first : first + LANES], span, removed, counts)
            into = slice(counts.shaped, counts.shaped + len(found))
            raw[into] = found
            elements[into] = counts.starts[piece.tensor.name] + piece.first + first + shaped
            counts.shaped += len(found)
    counts.missing += counts.elements - seen
    return raw[: counts.shaped], elements[: counts.shaped], counts


def quantised(values: Array, span: Span, removed: Floats, counts: Counts) -> tuple[npt.NDArray[np.int16], Slots]:
    """Unit vectors [n, length] in steps of 2^-15 of the lanes that have a shape, and which lanes those are."""
    centred, _, unsound = shapes(span.series(values))
    if removed.shape[1]:
        centred = without(centred, removed)
    squares = total(centred * centred)
    shaped = np.flatnonzero(squares > 0)
    counts.not_finite += int(unsound.sum())
    counts.constant += centred.shape[1] - len(shaped) - int(unsound.sum())
    part = centred if len(shaped) == centred.shape[1] else centred[:, shaped]
    steps = np.rint(part * (1 / (UNIT * np.sqrt(squares[shaped]))))
    return np.clip(steps, -32767, 32767).astype(np.int16).T, shaped


def _sample(raw: npt.NDArray[np.int16]) -> Heads:
    """Some unit vectors, evenly drawn and the same each time: [n, length]."""
    if len(raw) <= SAMPLE:
        return raw.astype(np.float32) * np.float32(UNIT)
    drawn = np.sort(np.random.default_rng(0).choice(len(raw), SAMPLE, replace=False))
    return raw[drawn].astype(np.float32) * np.float32(UNIT)


def _directions(sample: Heads, length: int) -> tuple[Floats, Floats]:
    """Shares of the sample's energy, falling, and the directions [length, n] that hold them (principal components)."""
    gram = np.zeros((length, length)) if not len(sample) else (sample.T @ sample).astype(np.float64)
    energy, directions = np.linalg.eigh(gram)
    energy = np.maximum(energy[::-1], 0.0)
    share: Floats = energy / max(float(energy.sum()), np.finfo(np.float64).tiny)
    return share, np.ascontiguousarray(directions[:, ::-1])


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


def _heads(folder: Path, raw: npt.NDArray[np.int16], basis: Heads) -> Heads:
    """Heads and rests [k + 1, n] of all vectors. A rest is rounded up by what f32 can lose in it."""
    k, length = basis.shape[1], basis.shape[0]
    heads: Heads = open_memmap(folder / "raw-heads.npy", "w+", np.float32, (k + 1, max(1, len(raw))))
    for first in range(0, len(raw), CHUNK):
        vectors = raw[first : first + CHUNK].astype(np.float32) * np.float32(UNIT)
        head = vectors @ basis
        vectors -= head @ basis.T
        rest = np.sqrt(np.einsum("nt,nt->n", vectors, vectors))
        into = slice(first, first + len(vectors))
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


def _write_in_order(folder: Path, raw: npt.NDArray[np.int16], elements: Slots, heads: Heads, order: Slots) -> Heads:
    """The files in the order of the leaves; gives back the heads."""
    vectors = open_memmap(folder / "vectors.npy", "w+", np.int16, raw.shape)
    kept: Heads = open_memmap(folder / "heads.npy", "w+", np.float32, heads.shape)
    owners = open_memmap(folder / "order.npy", "w+", np.int64, order.shape)
    for first in range(0, len(order), CHUNK):
        members = order[first : first + CHUNK]
        into = slice(first, first + len(members))
        vectors[into], kept[:, into], owners[into] = raw[members], heads[:, members], elements[members]
    return kept
