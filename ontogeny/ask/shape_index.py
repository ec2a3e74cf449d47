"""An index of shapes: rules out, with proof, every element whose chart cannot correlate with a query's as asked.

Let u be an element's centred series as a unit vector, q the query's: their correlation is u.q. The index keeps for each

  vector  z, made of 16-bit numbers: |u - z| <= e, since each of them is rounded (`shape_lanes` says how far);
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
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.series import Floats
from ontogeny.ask.shape_lags import Lagged, lagged
from ontogeny.ask.shape_lanes import EPS32, EPS64, UNIT, Numbers, at_once, scaling, vectors

LEAF = 512
"""Elements of a leaf."""
GAP = 6
"""Leaves: starting anew costs about as much as reading so many (measured)."""
CHUNK = 64 * LEAF
Slots = npt.NDArray[np.int64]


def rounding(length: int) -> float:
    """How far a correlation computed in f64 can lie from the true one of the same centred series."""
    return (4 * length + 64) * EPS64


@dataclass(frozen=True)
class Found:
    """What a search left and what it did: `slots` that match or may, their scores within the index's tolerance.

    `sure` says which of them match for certain. `by_head` and `by_vector` count those that were ruled out. Of a search
    over lags, `able` says which of the lags [lags, slots] can be a slot's best.
    """

    slots: Slots
    scores: Floats
    sure: npt.NDArray[np.bool_]
    by_head: int
    by_vector: int
    able: npt.NDArray[np.bool_] | None = None

    def taken(self, places: npt.NDArray[Any]) -> Found:
        """Some of the slots, by their places or by flags; the others count as ruled out by their vectors."""
        slots = self.slots[places]
        able = None if self.able is None else self.able[:, places]
        out = self.by_vector + len(self.slots) - len(slots)
        return Found(slots, self.scores[places], self.sure[places], self.by_head, out, able)


@dataclass(frozen=True)
class ShapeIndex:
    """An index in a folder, memory-mapped. A slot is the place of an element in the order of the leaves."""

    folder: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """What it was made of: series' length, counts of elements by kind, k, how exact, and what proves it fresh."""
        found: dict[str, Any] = json.loads((self.folder / "about.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def order(self) -> Slots:
        """The element in each slot, by its number over all tensors."""
        found: Slots = self._mapped("order")
        return found

    @cached_property
    def numbers(self) -> Numbers:
        """The 16-bit numbers of all vectors: [slots, length]."""
        found: Numbers = self._mapped("vectors")
        return found

    @cached_property
    def lanes(self) -> Floats:
        """What further steps need to know (`shape_lanes`), by number: [elements, 4]; none without modes."""
        found: Floats = self._mapped("lanes")
        return found

    @cached_property
    def kinds(self) -> npt.NDArray[np.uint8]:
        """The kind of every element (`shape_lanes`), by number."""
        found: npt.NDArray[np.uint8] = self._mapped("kinds")
        return found

    @cached_property
    def sample(self) -> npt.NDArray[Any]:
        """The values [states, elements] of the elements that are the sample (`shape_sample`)."""
        found: npt.NDArray[Any] = self._mapped("sample")
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
        return int(self.numbers.shape[1])

    @property
    def grown(self) -> bool:
        """Whether steps were added to it."""
        return bool(self.about["grown"])

    @property
    def away(self) -> float:
        """How far a vector can lie from its series' unit vector: e."""
        return float(self.about["away"])

    @property
    def tolerance(self) -> float:
        """How far a score from a vector can lie from the exact one."""
        summed = (self.length + 4) * EPS32 * 1.1 * float(self.about["reach"])
        return self.away + rounding(self.length) + summed

    def opened(self) -> ShapeIndex:
        """Itself, every file of it held, so that it stays whole when the folder is replaced."""
        for name, found in vars(type(self)).items():
            if isinstance(found, cached_property):
                getattr(self, name)
        return self

    def vectors(self, slots: Slots | slice) -> npt.NDArray[np.float32]:
        """The vectors of some slots: [n, length]."""
        return vectors(self.numbers[slots], self.lanes[self.order[slots]] if self.grown else None)

    def search(self, query: Floats, at_least: float, either_sign: bool = False) -> Found:
        """Every slot whose correlation with a query (a unit vector) can reach `at_least`; the rest is ruled out."""
        open_slots = self._past_heads(query, at_least, either_sign)
        scores = self._scores(open_slots, query)
        size = np.abs(scores) if either_sign else scores
        sure = size >= at_least + self.tolerance
        met = Found(open_slots, scores, sure, len(self.order) - len(open_slots), 0)
        return met.taken(size >= at_least - self.tolerance)

    def search_lagged(self, query: Floats, at_least: float, either_sign: bool, tried: list[int]) -> Found:
        """The same over lags, where the parts that meet are centred anew: heads are of no use, all vectors are met."""
        asked = lagged(query, tried, self.away + rounding(self.length))
        width = max(64, at_once(max(self.length, 4 * len(tried))))
        chunks = [slice(first, first + width) for first in range(0, len(self.order), width)]
        kept = [self._lagged(chunk, asked, at_least, either_sign) for chunk in chunks]
        slots = np.concatenate([np.empty(0, np.int64), *(slots for slots, _ in kept)])
        able = np.concatenate([np.empty((len(tried), 0), np.bool_), *(able for _, able in kept)], axis=1)
        unknown = np.full(len(slots), np.nan)
        out = len(self.order) - len(slots)
        return Found(slots, unknown, np.zeros(len(slots), np.bool_), 0, out, able)

    def _past_heads(self, query: Floats, at_least: float, either_sign: bool) -> Slots:
        """The slots that neither their leaf's nor their own head rules out."""
        inside = self.basis.astype(np.float64).T @ query
        outside = float(np.linalg.norm(query - self.basis @ inside)) * (1 + 1e-12)
        size = float(np.linalg.norm(inside))
        slack = rounding(self.length) + self.away + self.about["skew"] * size
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
        found, short, whole = np.empty(len(slots)), (query * UNIT).astype(np.float32), float(query.sum())
        width = at_once(self.length)
        for first in range(0, len(slots), width):
            part = slots[first : first + width]
            scores = self.numbers.take(part, axis=0).astype(np.float32) @ short
            if self.grown:
                scale, mean = scaling(self.lanes[self.order[part]], self.length)
                scores = scores * (scale / UNIT) - mean * whole
            found[first : first + width] = scores
        return found

    def _lagged(
        self, chunk: slice, asked: Lagged, at_least: float, either_sign: bool
    ) -> tuple[Slots, npt.NDArray[np.bool_]]:
        """The slots of a chunk that may reach the threshold at some lag, and which lags can be their best."""
        reached, able = asked.able(self.vectors(chunk), at_least, either_sign)
        return chunk.start + reached, able

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
