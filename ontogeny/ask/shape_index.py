"""An index of shapes: rules out, with proof, every element whose chart cannot correlate with a query's as asked.

Let u be an element's centred series as a unit vector, q the query's: their correlation is u.q. The index keeps for each

  vector  z, 16-bit numbers: |u - z/2^15| <= e, since each of its numbers is rounded by at most half of 2^-15;
  head    a = B'z for a basis B of k leading directions, and rest >= |z - Ba|, in f32.

With g = B'q and p = |q - Bg|, by Cauchy-Schwarz

  u.q <= a.g + rest p + w|g| + e        (w >= |B'(z - Ba)|, which would be 0 but for rounding),

so that an element with a smaller right side than the threshold cannot reach it: a head of some ten numbers rules it
out. Neighbours in a k-d order of heads and rests make leaves, and the same bound for the box and the ball that hold a
leaf's rules it out whole. What is left meets its vector, where u.q is known within e; what that leaves open is compared
in full, in f64. Every bound is widened by what the arithmetic that computes it can round away: n numbers summed in f32
in any order are off by at most n 2^-24 of the sum of their magnitudes (Higham, Accuracy and Stability of Numerical
Algorithms, 2002, chapter 3).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.series import Floats, overlapping

LEAF = 512
"""Elements of a leaf."""
GAP = 6
"""Leaves: starting anew costs about as much as reading so many (measured)."""
CHUNK = 64 * LEAF
UNIT = 2.0**-15
"""What one step of a stored 16-bit number is worth."""
EPS32 = 2.0**-24
EPS64 = 2.0**-53
Slots = npt.NDArray[np.int64]


def rounded_away(length: int) -> float:
    """How far a stored vector can lie from the unit vector of its series: e. One number near 1 may be cut by a step."""
    return (0.5 * math.sqrt(length) + 0.5) * UNIT * (1 + 1e-9)


def rounding(length: int) -> float:
    """How far a correlation computed in f64 can lie from the true one of the same centred series."""
    return (4 * length + 64) * EPS64


@dataclass(frozen=True)
class Found:
    """What a search left and what it did: `slots` that match or may, their scores within the index's tolerance.

    `sure` says which of them match for certain. `by_head` and `by_vector` count those that were ruled out.
    """

    slots: Slots
    scores: Floats
    sure: npt.NDArray[np.bool_]
    by_head: int
    by_vector: int


@dataclass(frozen=True)
class ShapeIndex:
    """An index in a folder, memory-mapped. A slot is the place of an element in the order of the leaves."""

    folder: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """What it was made of: series' length, counts of elements by kind, k, and what proves it fresh."""
        found: dict[str, Any] = json.loads((self.folder / "about.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def order(self) -> Slots:
        """The element in each slot, by its number over all tensors."""
        found: Slots = self._mapped("order")
        return found

    @cached_property
    def vectors(self) -> npt.NDArray[np.int16]:
        """Unit vectors [slots, length] in steps of 2^-15."""
        found: npt.NDArray[np.int16] = self._mapped("vectors")
        return found

    @cached_property
    def heads(self) -> npt.NDArray[np.float32]:
        """Heads and, in the last row, the norms of the rest: [k + 1, slots]."""
        found: npt.NDArray[np.float32] = self._mapped("heads")
        return found

    @cached_property
    def leaves(self) -> dict[str, Floats]:
        """For each leaf: `low`, `high` and `centre` of its heads and rests [k + 1, leaves], and their `radius`."""
        with np.load(self.folder / "leaves.npz") as found:
            return {name: found[name] for name in found.files}

    @cached_property
    def basis(self) -> npt.NDArray[np.float32]:
        """The directions of the head: [length, k]."""
        found: npt.NDArray[np.float32] = np.load(self.folder / "basis.npy")
        return found

    @cached_property
    def modes(self) -> Floats:
        """The shared modes [length, m], orthonormal: the leading directions of a sample of the unit vectors."""
        found: Floats = np.load(self.folder / "modes.npy")
        return found

    @cached_property
    def removed(self) -> Floats:
        """The modes that were projected out of every series before: [length, m]."""
        found: Floats = np.load(self.folder / "removed.npy")
        return found

    @property
    def length(self) -> int:
        """Points of a series."""
        return int(self.vectors.shape[1])

    @property
    def tolerance(self) -> float:
        """How far a score from a stored vector can lie from the exact one."""
        return rounded_away(self.length) + rounding(self.length) + (self.length + 4) * EPS32 * 1.1

    def search(self, query: Floats, at_least: float, either_sign: bool = False) -> Found:
        """Every slot whose correlation with a query (a unit vector) can reach `at_least`; the rest is ruled out."""
        open_slots = self._past_heads(query, at_least, either_sign)
        scores = self._scores(open_slots, query)
        size = np.abs(scores) if either_sign else scores
        kept = size >= at_least - self.tolerance
        sure = size[kept] >= at_least + self.tolerance
        past = len(open_slots)
        return Found(open_slots[kept], scores[kept], sure, len(self.order) - past, past - int(kept.sum()))

    def search_lagged(self, query: Floats, at_least: float, either_sign: bool, tried: list[int]) -> Found:
        """The same over lags, where the parts that meet are centred anew: heads are of no use, all vectors are met."""
        kept = [self._lagged(first, query, at_least, either_sign, tried) for first in range(0, len(self.order), CHUNK)]
        slots = np.concatenate([np.empty(0, np.int64), *kept])
        unknown = np.full(len(slots), np.nan)
        return Found(slots, unknown, np.zeros(len(slots), np.bool_), 0, len(self.order) - len(slots))

    def _past_heads(self, query: Floats, at_least: float, either_sign: bool) -> Slots:
        """The slots that neither their leaf's nor their own head rules out."""
        inside = self.basis.astype(np.float64).T @ query
        outside = float(np.linalg.norm(query - self.basis @ inside)) * (1 + 1e-12)
        size = float(np.linalg.norm(inside))
        slack = rounding(self.length) + rounded_away(self.length) + self.about["skew"] * size
        slack += (len(inside) + 4) * EPS32 * 1.1 * (size + outside)
        limit = np.nextafter(np.float32(at_least - slack), np.float32(-np.inf))
        signs = (1.0, -1.0) if either_sign else (1.0,)
        rows = np.array([[*(sign * inside), outside] for sign in signs])
        alive = np.any([self._leaf_bounds(row) >= limit for row in rows], axis=0)
        short = rows.astype(np.float32)
        found = [self._open(first, last, short, limit) for first, last in _runs(alive, len(self.order))]
        return np.concatenate([np.empty(0, np.int64), *found])

    def _leaf_bounds(self, row: Floats) -> Floats:
        """An upper bound of each leaf's correlations, but for the slack: by the box or the ball around its heads."""
        kept = self.leaves
        box = np.maximum(row, 0) @ kept["high"] + np.minimum(row, 0) @ kept["low"]
        ball = row @ kept["centre"] + kept["radius"] * float(np.linalg.norm(row))
        bound: Floats = np.minimum(box, ball) + 1e-9
        return bound

    def _open(self, first: int, last: int, rows: npt.NDArray[np.float32], limit: np.float32) -> Slots:
        """The slots from `first` to `last` whose own bound reaches the limit."""
        row = rows[0] if len(rows) == 1 else rows
        bounds = row @ self.heads[:, first:last]
        reached: Slots = ((bounds if len(rows) == 1 else bounds.max(0)) >= limit).nonzero()[0]
        return reached + first

    def _scores(self, slots: Slots, query: Floats) -> Floats:
        found, scaled = np.empty(len(slots)), (query * UNIT).astype(np.float32)
        for first in range(0, len(slots), CHUNK):
            part = slots[first : first + CHUNK]
            found[first : first + CHUNK] = self.vectors[part].astype(np.float32) @ scaled
        return found

    def _lagged(self, first: int, query: Floats, at_least: float, either_sign: bool, tried: list[int]) -> Slots:
        """The slots of a chunk that may reach the threshold at some lag."""
        unit = self.vectors[first : first + CHUNK].T * UNIT
        off, reached = self.tolerance * 2, np.zeros(unit.shape[1], np.bool_)
        for lag in tried:
            mine, theirs = overlapping(self.length, lag)
            part, other = unit[mine], query[theirs] - query[theirs].mean()
            norm = float(np.linalg.norm(other))
            if norm > 0:
                products = (other / norm) @ part
                own = np.sqrt(np.maximum(0.0, (part * part).sum(0) - part.sum(0) ** 2 / len(part) - 1e-12))
                size = np.abs(products) if either_sign else products
                reached |= size + off >= at_least * (own - off if at_least > 0 else own + off)
        return first + np.flatnonzero(reached)

    def _mapped(self, name: str) -> Any:
        return np.load(self.folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)


def stretches(flags: npt.NDArray[np.bool_]) -> Slots:
    """Where flags hold without a break: [stretches, 2], the first place of each and one past its last."""
    return np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))).reshape(-1, 2)


def _runs(alive: npt.NDArray[np.bool_], slots: int) -> list[tuple[int, int]]:
    """Leaves that are alive, as stretches of slots that fit into a cache, with short gaps: a cut costs more."""
    edges = stretches(alive)
    wide = edges[1:, 0] - edges[:-1, 1] > GAP
    firsts, lasts = edges[np.append(True, wide)[: len(edges)], 0], edges[np.append(wide, True)[: len(edges)], 1]
    spans = zip((firsts * LEAF).tolist(), (lasts * LEAF).tolist(), strict=True)
    return [(a, min(a + CHUNK, last, slots)) for first, last in spans for a in range(first, last, CHUNK)]
