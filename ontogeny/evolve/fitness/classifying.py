"""Fitness on data: a netlist as a classifier, whose outputs are shared evenly among the classes and vote.

Numbers become bits by thresholds (`thermometer`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ontogeny.evolve.fitness.over_time import packed
from ontogeny.evolve.fitness.recipe import Recipe, made_by
from ontogeny.evolve.spaces import Netlists
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, Words
from ontogeny.machine.swarm import swarm


@dataclass(eq=False)
class Accuracy:
    """The error is the share of rows whose class is not the one with most ones; the first among equals."""

    words: Words
    labels: NDArray[np.int64]
    classes: int
    space: Netlists
    failures: Sequence[str] = ()
    objectives: tuple[str, ...] = ("wrong rows",)
    recipe: Recipe | None = field(default=None, repr=False)

    def errors(self, nets: Sequence[Netlist], /) -> list[float]:
        """The share of wrong rows of each."""
        return [float(np.mean(found != self.labels)) for found in self.predicted(nets)]

    @cached_property
    def bits(self) -> NDArray[np.float32]:
        """The rows as they were given, f32[rows, inputs] of 0 and 1."""
        bits = np.unpackbits(self.words.view(np.uint8), axis=1, bitorder="little")[:, : len(self.labels)]
        return np.ascontiguousarray(bits.T, np.float32)

    def predicted(self, nets: Sequence[Netlist]) -> NDArray[np.int64]:
        """The class of every row, int64[nets, rows]."""
        outputs = swarm(list(nets), threads=1).outputs(self.words)
        bits = np.unpackbits(outputs.view(np.uint8), axis=2, bitorder="little")[..., : len(self.labels)]
        votes = bits.reshape(len(nets), self.classes, -1, len(self.labels)).sum(axis=2, dtype=np.int64)
        return np.asarray(votes.argmax(axis=1), np.int64)


@made_by("accuracy")
def accuracy(features: ArrayLike, labels: ArrayLike, outputs: int) -> Accuracy:
    """Accuracy on data: features [rows, inputs] of 0 and 1, labels [rows] from 0; outputs a multiple of the classes.

    Two classes may share one output, which is then the class. Raises SearchError for what does not go together.
    """
    rows, classes = np.asarray(features), np.asarray(labels, np.int64)
    if rows.ndim != 2 or len(rows) != len(classes) or not len(rows) or not np.isin(rows, (0, 1)).all():
        raise SearchError(f"features {rows.shape}, labels {classes.shape}; expected [rows, inputs] of 0 and 1, [rows]")
    count = int(classes.max()) + 1
    if classes.min() < 0 or outputs < 1 or outputs % count:
        raise SearchError(f"{outputs} outputs for {count} classes; expected as many for each, and labels from 0")
    words = np.ascontiguousarray(packed(rows[:, None, :].astype(np.uint8))[0])
    return Accuracy(words, classes, count, Netlists(rows.shape[1], outputs))


def thermometer(values: ArrayLike, thresholds: Sequence[float]) -> NDArray[np.uint8]:
    """[rows, columns * thresholds] of 0 and 1, of [rows, columns]: whether each number is above each threshold."""
    above = np.asarray(values)[:, :, None] > np.asarray(thresholds)
    return np.asarray(above, np.uint8).reshape(len(above), -1)
