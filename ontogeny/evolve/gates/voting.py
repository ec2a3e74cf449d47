"""Classifiers grown gate by gate, without gradients: each vote is a few two-input gates, the best that a draw offers.

The classes take turns. What a further vote for a class would change the loss by is counted for each row, once; so the
four sums of that over the rows in which two wires are 00, 10, 01 and 11 tell the best of all sixteen gates on them: the
one that is 1 where the sum is below 0. All pairs of a few inputs drawn are tried by one matrix product; the gate found
is the first fanin of the vote's next one. That is stagewise fitting, as in boosting (Friedman, Hastie and Tibshirani,
"Additive Logistic Regression", 2000), by the loss itself in place of its derivatives. A gate belongs to one vote: with
the gates of others to choose from, unseen rows fare worse (LOG.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ontogeny.evolve.circuits.simplify import simplified
from ontogeny.evolve.fitness.classifying import accuracy
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, netlist

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


def grown(
    features: ArrayLike, labels: ArrayLike, votes: int, *, gates: int = 1, drawn: int = 32, temperature: float = 4.0,
    seed: int = 0,
) -> Netlist:  # fmt: skip
    """A netlist whose outputs are `votes` for each class, the first class's first, of at most `gates` each.

    `features` [rows, inputs] of 0 and 1, `labels` [rows] from 0. The loss is the cross entropy of the numbers of votes
    over `temperature`; `drawn` inputs are offered to each vote. Raises SearchError for what does not go together.
    """
    if min(votes, gates) < 1 or drawn < 2 or temperature <= 0:
        raise SearchError(
            f"votes {votes}, gates {gates}, drawn {drawn}, temperature {temperature}; expected votes and gates from 1, "
            "drawn from 2, a temperature above 0"
        )
    classes = int(np.max(labels, initial=0)) + 1
    fitness = accuracy(features, labels, votes * classes)
    bits, chance = np.asarray(features, np.float32), np.random.default_rng(seed)
    counts = np.zeros((len(bits), classes))
    ends: list[int] = []
    tables: list[int] = []
    fanins: list[tuple[int, int]] = []
    for _, of_class in np.ndindex(votes, classes):
        offered = chance.choice(bits.shape[1], min(drawn, bits.shape[1]), replace=False)
        chain, values = _vote(bits[:, offered], _changes(counts, fitness.labels, of_class, temperature), gates)
        wire = int(offered[chain[0].first])
        for gate in chain:
            fanins.append((wire, int(offered[gate.second])))
            wire = bits.shape[1] + len(tables)
            tables.append(gate.table)
        ends.append(wire)
        counts[:, of_class] += values
    return simplified(netlist(bits.shape[1], tables, fanins, np.reshape(ends, (votes, classes)).T.reshape(-1)))


def _vote(offered: Bits, changes: Changes, gates: int) -> tuple[list[Gate], Bits]:
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


def _changes(counts: NDArray[np.float64], labels: NDArray[np.int64], of_class: int, temperature: float) -> Changes:
    """What one more vote for the class changes each row's cross entropy by; scaled, all rows sum to 2^23 at most."""
    weights = np.exp((counts - counts.max(axis=1, keepdims=True)) / temperature)
    share = weights[:, of_class] / weights.sum(axis=1)
    change = np.log1p(share * np.expm1(1 / temperature)) - (labels == of_class) / temperature
    return np.asarray(np.rint(change * (temperature * 2**23 / len(labels))), np.float32)
