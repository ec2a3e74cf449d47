"""One vote of a classifier of gates: a few two-input gates, the best that the inputs offered allow.

What a further vote for a class would change the loss by is counted for each row, once; so the four sums of that over
the rows in which two wires are 00, 10, 01 and 11 tell the best of all sixteen gates on them: the one that is 1 where
the sum is below 0. All pairs of a few inputs drawn are tried by one matrix product; the gate found is the first fanin
of the vote's next one. That is stagewise fitting, as in boosting (Friedman, Hastie and Tibshirani, "Additive Logistic
Regression", 2000), by the loss itself in place of its derivatives. A gate belongs to one vote: with the gates of others
to choose from, unseen rows fare worse (LOG.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.float32]
"""Zeros and ones."""
Changes = NDArray[np.float32]
"""What a vote changes the loss by, in whole numbers so small that their sums are exact in f32, in any order."""


@dataclass(frozen=True)
class Gate:
    """A gate on two columns, bit i of its table for the number i; what it adds to the loss."""

    first: int
    second: int
    table: int
    loss: float

    def values(self, first: Bits, second: Bits) -> Bits:
        """The gate's column."""
        entries = np.array([self.table >> i & 1 for i in range(4)], np.float32)
        return entries[(first + 2 * second).astype(np.intp)]


def vote(offered: Bits, changes: Changes, gates: int) -> tuple[list[Gate], Bits]:
    """The gates of a vote, each with the one before as its first fanin, and its column."""
    best = _best(offered, offered, changes)
    chain, values = [best], best.values(offered[:, best.first], offered[:, best.second])
    while len(chain) < gates:
        best = _best(values[:, None], offered, changes)
        if best.loss >= chain[-1].loss:
            break
        chain.append(best)
        values = best.values(values, offered[:, best.second])
    return chain, values


def _best(first: Bits, second: Bits, changes: Changes) -> Gate:
    """The best of all gates on a column of each."""
    both = (first * changes[:, None]).T @ second
    only_first = (changes @ first)[:, None] - both
    only_second = (changes @ second)[None] - both
    cells = np.stack([changes.sum() - both - only_first - only_second, only_first, only_second, both])
    losses = np.minimum(cells, 0).sum(axis=0)
    a, b = np.unravel_index(losses.argmin(), losses.shape)
    table = sum(1 << i for i in range(4) if cells[i, a, b] < 0)
    return Gate(int(a), int(b), table, float(losses[a, b]))


def changes_of(counts: NDArray[np.float64], labels: NDArray[np.int64], of_class: int, temperature: float) -> Changes:
    """What one more vote for the class changes each row's cross entropy by; scaled, all rows sum to 2^23 at most."""
    weights = np.exp((counts - counts.max(axis=1, keepdims=True)) / temperature)
    share = weights[:, of_class] / weights.sum(axis=1)
    change = np.log1p(share * np.expm1(1 / temperature)) - (labels == of_class) / temperature
    return np.asarray(np.rint(change * (temperature * 2**23 / len(labels))), np.float32)
