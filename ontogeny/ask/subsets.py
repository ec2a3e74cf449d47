"""How much each example is memorised, by estimate: the run taken again on random subsets of its examples.

After Feldman and Zhang (2020, arXiv 2008.03703): of some retrainings, each without a random part of the examples, how
often an example is right in those that had it, minus how often in those that had not. A few retrainings tell of all
examples at once, with an error for each. It is not what leaving out one example alone gives (`ask/left_out.py`): here
an example is missing together with others, so that the rest knows less to make up for it. `agreement` says how the two
compare on examples of which both are known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.alternative import checked_native, leaving_out
from ontogeny.ask.items import Floats, judge
from ontogeny.ask.left_out import LeftOut, occurrences
from ontogeny.data.pool import by_number
from ontogeny.data.without import ranges
from ontogeny.isa.errors import RecordError
from ontogeny.machine.base import Machine
from ontogeny.record.counterfactual import Lenient, schedule
from ontogeny.record.example_entries import check_varies
from ontogeny.record.machines import make
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import view

SHARE = 0.7
"""Of the examples, how many a retraining keeps: Feldman and Zhang's."""
LEAST = 4
"""Retrainings with an example, and as many without it, from which on the error of a share is told: of fewer, of which
all are often right or all wrong, it would be 0."""


@dataclass(frozen=True)
class Estimated:
    """Memorisation of examples by estimate at one state, f64[examples] each.

    `memorised` is the share of retrainings with the example in which it is right, minus that of those without it, and
    `memorised_error` its standard error; `needed` the loss without it minus that with it, and its standard error. NaN
    where an example was in all of the retrainings, or in none. Errors are NaN, too, where too few had it or lacked it:
    fewer than LEAST for `memorised`, than 2 for `needed`. `share` of the examples was in each.
    """

    numbers: npt.NDArray[np.int64]
    retrainings: int
    memorised: Floats
    memorised_error: Floats
    needed: Floats
    needed_error: Floats
    share: float = SHARE

    def as_json(self) -> list[dict[str, Any]]:
        """A row for each example."""
        columns = {"memorised": self.memorised, "memorised_error": self.memorised_error, "needed": self.needed,
                   "needed_error": self.needed_error}  # fmt: skip
        rows = enumerate(self.numbers.tolist())
        return [{"example": number, **{name: float(one[at]) for name, one in columns.items()}} for at, number in rows]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How an estimate compares with exact answers: Pearson's correlation of what examples are `needed` by, the mean of
    the estimate minus the exact, and the root mean square of that."""

    examples: int
    correlation: float
    bias: float
    error: float


def by_subsets(
    run: Recorded, retrainings: int = 20, share: float = SHARE, at: int | None = None, seed: int = 0
) -> Estimated:
    """An estimate for all training examples of a run, at a state (default: the last), from so many retrainings.

    A retraining is a replay from the first step on with the same batches minus the rows of those examples that it does
    not keep; one of the fast mode is replayed in exact mode, since each step has another size. Raises RecordError for a
    program that takes batches of one size alone or changed on the way, and for less than 4 retrainings.
    """
    checked_native(run)
    check_varies(run.program, "no example can be left out of a batch")
    at = run.step if at is None else at
    if retrainings < 4 or not 0 < share < 1:
        raise RecordError(f"{retrainings} retrainings on {share:g} of the examples tell nothing; take at least 4, on a "
                          "share between 0 and 1")  # fmt: skip
    if run.changed or not 0 < at <= run.step:
        raise RecordError(f"state {at} cannot be asked about: the program has to be the same from the first step to it")
    asked = np.array(sorted(occurrences(run, at)), np.int64)
    machine, ask, random = _machine(run), judge(run), np.random.default_rng(seed)
    examples = by_number(run.data, int(asked[-1])).examples(asked)
    kept = np.zeros((retrainings, len(asked)), np.bool_)
    right, loss = np.zeros(kept.shape), np.zeros(kept.shape)
    for turn in range(retrainings):
        kept[turn, random.permutation(len(asked))[: round(share * len(asked))]] = True
        _again(run, machine, asked[~kept[turn]], at)
        ask.load(view(machine))
        found = ask(examples, run.dials(at))
        right[turn], loss[turn] = found.exact, found.loss
    memorised, memorised_error = _differences(kept, right, LEAST)
    needed, needed_error = _differences(kept, -loss)
    return Estimated(asked, retrainings, memorised, memorised_error, needed, needed_error, share)


def enough(share: float) -> int:
    """Retrainings after which LEAST are to be expected on the rarer side, and half as many more for chance."""
    return math.ceil(1.5 * LEAST / min(share, 1 - share))


def agreement(estimated: Estimated, exact: Sequence[LeftOut]) -> Agreement | None:
    """How the estimate compares with examples left out exactly, at the last state that these were asked about.

    None where fewer than three examples are known both ways.
    """
    places: Mapping[int, int] = {number: place for place, number in enumerate(estimated.numbers.tolist())}
    known = [one for one in exact if one.number in places and np.isfinite(estimated.needed[places[one.number]])]
    if len(known) < 3:
        return None
    ours = np.array([one.needed[-1] for one in known])
    theirs = estimated.needed[[places[one.number] for one in known]]
    off = theirs - ours
    spread = float(np.std(ours) * np.std(theirs))
    correlation = float(np.mean((ours - ours.mean()) * (theirs - theirs.mean()))) / spread if spread else math.nan
    return Agreement(len(known), correlation, float(off.mean()), float(np.sqrt((off**2).mean())))


def _machine(run: Recorded) -> Machine:
    options = run.start["options"]
    exact = {**options, "mode": "exact"} if options.get("mode") == "fast" else options
    return make(run.start["machine"], run.program, exact)


def _again(run: Recorded, machine: Machine, without: npt.NDArray[np.int64], last: int) -> None:
    """Takes the machine to the state `last` without some examples."""
    machine.load(run.state(0))
    changed = Lenient(run.ground, schedule(run, (*run.entries, *leaving_out(run, ranges(without), 0))))
    for step in range(last):
        changed.take(machine, step)


def _differences(kept: npt.NDArray[np.bool_], values: Floats, least: int = 2) -> tuple[Floats, Floats]:
    """The mean over retrainings with an example minus that over those without, and its standard error, NaN where fewer
    than `least` had it or lacked it."""
    sides = []
    for side in (kept, ~kept):
        count = side.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(side, values, 0).sum(axis=0) / count
            variance = np.where(side, (values - mean) ** 2, 0).sum(axis=0) / (count - 1)
            sides.append((np.where(count > 0, mean, np.nan), np.where(count >= least, variance / count, np.nan)))
    (with_it, noise), (without, other) = sides
    return with_it - without, np.sqrt(noise + other)
