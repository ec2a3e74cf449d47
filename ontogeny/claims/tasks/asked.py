"""Asking a model for circuits: what comes is simulated on all cases, and counted by how many trials it took.

A model that learned from labelled circuits, each behind its truth table, is asked for a truth table. One that saw no
labels writes any circuit, so it writes many, and one is kept if it happens to be right. `guided` allows one step of the
simulator's: a circuit counts, too, if one of its wires is right, or would be the NAND of any two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.circuits.nands import Fanin, drawn, outputs, sizes, values, word
from ontogeny.evolve.circuits.spelling import Spelling
from ontogeny.machine.learner import Learner
from ontogeny.train.small.sequences import written

Bools = NDArray[np.bool_]


def asked(
    learner: Learner, spelling: Spelling, functions: Sequence[int | None], temperature: float = 1.0, seed: int = 0
) -> Fanin:
    """What a model writes when it is asked for each of these truth tables, int64[n, gates, 2]; None asks for any.

    At temperature 0 it is the likeliest symbol each time. What is no circuit has no gates.
    """
    said = written(learner, spelling.prompts(functions), temperature, seed)["y"]
    return spelling.read(said[:, spelling.cases - 1 :])


def right(inputs: int, fanin: Fanin, functions: Sequence[int]) -> Bools:
    """Which of the circuits compute the truth table that stands beside each, bool[n]."""
    return np.asarray((outputs(inputs, fanin) == _words(inputs, functions)) & (sizes(fanin) > 0))


def guided(inputs: int, fanin: Fanin, functions: Sequence[int]) -> Bools:
    """Which of them have a wire that computes it, or two wires whose NAND does, bool[n]."""
    wires, wanted = values(inputs, fanin), _words(inputs, functions)[:, None]
    found = (wires == wanted).any(axis=1)
    for first in range(wires.shape[1]):
        found |= (~(wires[:, first:] & wires[:, first : first + 1]) == wanted).any(axis=1)
    return np.asarray(found & (sizes(fanin) > 0))


def _words(inputs: int, functions: Sequence[int]) -> NDArray[np.uint64]:
    return np.array([word(int(function), inputs) for function in functions], np.uint64)


@dataclass(frozen=True, slots=True)
class Tried:
    """For each function asked for, how many of `of` trials were right, by themselves and guided, i64[functions].

    `gates` f64[functions]: of the smallest right one; not a number where none was.
    """

    of: int
    hits: NDArray[np.int64]
    guided: NDArray[np.int64]
    gates: NDArray[np.float64]

    def within(self, trials: int, guided: bool = False) -> float:
        """The share of the functions that so many trials have right: the mean chance, unbiased, of trials drawn from
        these (pass@k of Chen et al. 2021, arXiv 2107.03374)."""
        hits = self.guided if guided else self.hits
        return fmean(1.0 - comb(self.of - int(one), trials) / comb(self.of, trials) for one in hits)


def tried(learner: Learner, spelling: Spelling, functions: Sequence[int], trials: int, seed: int) -> Tried:
    """A model asked for each function so often."""
    each = np.repeat(np.asarray(functions, np.int64), trials)
    fanin = asked(learner, spelling, each.tolist(), seed=seed)
    found, helped = right(spelling.inputs, fanin, each.tolist()), guided(spelling.inputs, fanin, each.tolist())
    gates = np.where(found, sizes(fanin), np.inf).reshape(-1, trials).min(axis=1)
    hits, more = (part.reshape(-1, trials).sum(axis=1) for part in (found, helped))
    return Tried(trials, hits, more, np.where(np.isfinite(gates), gates, np.nan))


def tried_on_all(inputs: int, fanin: Fanin, functions: Sequence[int]) -> Tried:
    """Circuits that nobody asked for a function, each of them tried for every one."""
    found = [right(inputs, fanin, [one] * len(fanin)) for one in functions]
    helped = [int(guided(inputs, fanin, [one] * len(fanin)).sum()) for one in functions]
    gates = [float(sizes(fanin)[hits].min()) if hits.any() else np.nan for hits in found]
    return Tried(len(fanin), np.array([hits.sum() for hits in found]), np.array(helped), np.array(gates))


def blind(spelling: Spelling, count: int, seed: int) -> Fanin:
    """So many random circuits, of all lengths alike up to the spelling's."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, spelling.gates + 1, count)
    fanin = drawn(spelling.inputs, spelling.gates, count, rng)
    return np.where((np.arange(spelling.gates) < lengths[:, None])[:, :, None], fanin, -1)
