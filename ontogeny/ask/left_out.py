"""Which examples are memorised: those that are right only where they were trained on, by replays that leave each out.

Exact means trained again: for each example the run's own steps are taken anew, on its own kind of machine and mode,
from the first step that learned from the example to the end, in the same order and with the same entries, its batches
minus that row (`data/without.py`). The registers are those of `what_if(run, without=[number])`, bit for bit; nothing
is estimated.

What it does not tell is why. A row less sets every later step a little apart, and where a run changes fast that alone
makes some example wrong that was right. So each replay is also asked about other examples, which it was trained on as
the run was: `by_chance` is how many of those were lost, and an example is memorised beyond chance only as far as the
share of examples lost without themselves exceeds it (`in_all`).

What makes it cheap: the run as it was is replayed and judged once for all examples, the steps before an example was
first seen are shared, no step of the other side is hashed or evaluated, and several processes may share the examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.alternative import checked_native, checked_same, leaving_out
from ontogeny.ask.examples import learned_from
from ontogeny.ask.items import Floats, Judge, Judged, Named, judge
from ontogeny.ask.memorised import spread, wilson
from ontogeny.ask.workers import Processes, Workers
from ontogeny.data.pool import by_number
from ontogeny.data.without import Ranges, ranges
from ontogeny.isa.errors import RecordError
from ontogeny.machine.base import Machine
from ontogeny.record.counterfactual import Lenient, schedule
from ontogeny.record.example_entries import check_varies, numbers
from ontogeny.record.recorded import Recorded
from ontogeny.record.run import open_run
from ontogeny.record.stepper import view

Steps = tuple[int, ...]
OTHERS = 64
"""So many other examples, evenly spaced, are asked about in every replay."""
NOT_LEARNED = "is in no batch of the run's steps, so it is the same without it"


@dataclass(frozen=True)
class LeftOut:
    """One example, with it and without it, at some states, f64[states] each: its loss, and the share of its targets
    that are right. `first` is the state whose step first learned from it, `seen` how often one did.

    `others` are the share of other examples that are right in the run and wrong in this replay, of those right in the
    run, and `others_needed` the mean of their loss in this replay minus that in the run.
    """

    number: int
    first: int
    seen: int
    loss: Floats
    loss_without: Floats
    right: Floats
    right_without: Floats
    others: Floats
    others_needed: Floats

    @property
    def memorised(self) -> npt.NDArray[np.bool_]:
        """At which of the states it is right with it, and not without it."""
        return np.asarray((self.right == 1.0) & (self.right_without < 1.0))

    @property
    def needed(self) -> Floats:
        """By how many nats, or how much nearer, it is better known for having been trained on, f64[states]."""
        return np.asarray(self.loss_without - self.loss)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        names = ("loss", "loss_without", "right", "right_without", "others", "others_needed")
        told = {name: getattr(self, name).tolist() for name in names}
        about = {"example": self.number, "first": self.first, "seen": self.seen}
        return {**about, **told, "memorised": self.memorised.tolist()}


@dataclass(frozen=True, slots=True)
class InAll:
    """Examples left out one by one, taken together at one state: the share `memorised`, of those `right` in the run,
    with its 95% interval (Wilson's); the share of other examples that was lost `by_chance`; and by how many nats, or
    how much nearer, an example is better known for having been trained on, in the mean, and others by chance."""

    examples: int
    right: int
    memorised: float
    low: float
    high: float
    by_chance: float
    needed: float
    needed_by_chance: float


def in_all(found: Sequence[LeftOut], place: int = -1) -> InAll:
    """Examples that were left out, together, at one of the states that they were asked about."""
    right = [one for one in found if one.right[place] == 1.0]
    share = float(np.mean([one.memorised[place] for one in right])) if right else 0.0
    low, high = wilson(share, len(right)) if right else (0.0, 1.0)
    chance, needed, others = (
        float(np.mean([values[place] for values in each]))
        for each in zip(*((one.others, one.needed, one.others_needed) for one in found), strict=True)
    )
    return InAll(len(found), len(right), share, max(0.0, low), min(1.0, high), chance, needed, others)


def left_out(
    run: Recorded, examples: str | Iterable[int], at: Sequence[int] = (), workers: int = 1
) -> tuple[LeftOut, ...]:
    """Each of some training examples (numbers, or words as 3,17,40:60), left out by itself; judged at the states `at`
    (default: the last one). It takes a replay for each. `workers` processes share them.

    Raises RecordError for a program that takes batches of one size alone or changed on the way, an example that was in
    no batch, and for several workers where the data is not saved with the run.
    """
    if workers < 1:
        raise RecordError(f"{workers} workers; give 1 or more")
    asked = numbers(run, examples)
    steps = tuple(sorted(set(at))) or (run.step,)
    _check(run, asked, steps)
    chosen = [number for first, stop in asked for number in range(first, stop)]
    if workers == 1:
        return tuple(Replays(run, steps)(chosen))
    return shared(run, chosen, steps, Processes(workers), workers)


def shared(run: Recorded, chosen: Sequence[int], steps: Steps, who: Workers, count: int) -> tuple[LeftOut, ...]:
    """The same, by workers that open the run's folder themselves."""
    if not run.start["data"]["saved"]:
        raise RecordError("the data is not saved with the run, so that no other process can open it; use one worker")
    tasks = [(str(run.folder), steps, list(chosen[turn::count])) for turn in range(count) if chosen[turn::count]]
    found = [one for part in who.map(_task, tasks) for one in part]
    return tuple(sorted(found, key=lambda one: one.number))


def _task(task: tuple[str, Steps, list[int]]) -> list[LeftOut]:
    folder, steps, chosen = task
    return list(Replays(open_run(Path(folder)), steps)(chosen))


def occurrences(run: Recorded, last: int) -> dict[int, list[int]]:
    """The states up to `last` whose step learned from an example, by the example's number."""
    found: dict[int, list[int]] = {}
    for step, met in learned_from(run, last):
        for number in np.unique(met).tolist():
            found.setdefault(number, []).append(step)
    return found


def _check(run: Recorded, asked: Ranges, steps: Steps) -> None:
    checked_native(run)
    check_varies(run.program, "no example can be left out of a batch")
    checked_same(run, "ask about the run before, or one that went by the same program from its beginning")
    if not asked:
        raise RecordError("no example was named; give numbers, such as 3,17,40:60")
    if odd := [step for step in steps if not 0 < step <= run.step]:
        raise RecordError(f"state {odd[0]} cannot be asked about; there are the states 1 to {run.step}")


class Replays:
    """Replays of a run without one example each, judged at some states; `other` is the machine of the last replay."""

    def __init__(self, run: Recorded, steps: Steps) -> None:
        self.run, self.steps = run, steps
        self.judge: Judge = judge(run)
        self.other: Machine = run._seat.another()
        self.seen = occurrences(run, steps[-1])
        self.others = spread(np.array(sorted(self.seen)), OTHERS)

    def __call__(self, chosen: Sequence[int]) -> Iterator[LeftOut]:
        """The examples in the order in which they were first seen."""
        if odd := [number for number in chosen if number not in self.seen]:
            raise RecordError(f"example {odd[0]} {NOT_LEARNED}")
        own, others = self._own(chosen), self._own(self.others.tolist())
        first, state = -1, dict[str, Any]()
        for place in sorted(range(len(chosen)), key=lambda at: self.seen[chosen[at]][0]):
            number = chosen[place]
            if self.seen[number][0] != first:
                first = self.seen[number][0]
                state = self.run.state(first)
            self.other.load(state)
            beside = self._without(number, first)
            yield LeftOut(
                number,
                first,
                len(self.seen[number]),
                np.array([one.loss[place] for one in own]),
                np.array([one.loss[0] for one in beside]),
                np.array([one.right[place] for one in own]),
                np.array([one.right[0] for one in beside]),
                *_lost(others, beside, self.others != number),
            )

    def _own(self, chosen: Sequence[int]) -> list[Judged]:
        """The run as it was, at every state that is asked about."""
        examples, found = by_number(self.run.data, max(chosen)).examples(np.array(chosen)), []
        for step in self.steps:
            self.judge.load(self.run.state(step))
            found.append(self.judge(examples, self.run.dials(step)))
        return found

    def _without(self, number: int, first: int) -> list[Judged]:
        """The other side, from the state `first` on, judged on the example that it never saw, and then on others."""
        run = self.run
        changed = schedule(run, (*run.entries, *leaving_out(run, ranges([number]), first)))
        example = by_number(run.data).examples(np.concatenate([[number], self.others]))
        return list(followed(run, self.other, Lenient(run.ground, changed), first, self.steps, self._judged(example)))

    def _judged(self, example: Named) -> Callable[[Machine, int], Judged]:
        def ask(machine: Machine, step: int) -> Judged:
            self.judge.load(view(machine))
            return self.judge(example, self.run.dials(step))

        return ask


def _lost(own: Sequence[Judged], beside: Sequence[Judged], which: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Of other examples, rows 1 on of `beside`: the share of those right that became wrong, and the rise of loss."""
    lost, rise = np.zeros(len(own)), np.zeros(len(own))
    for at, (was, now) in enumerate(zip(own, beside, strict=True)):
        right = was.exact[which]
        lost[at] = (right & ~now.exact[1:][which]).sum() / max(1, right.sum())
        rise[at] = (now.loss[1:] - was.loss)[which].mean() if which.any() else 0.0
    return lost, rise


def followed(
    run: Recorded,
    machine: Machine,
    stepper: Lenient,
    first: int,
    steps: Steps,
    ask: Callable[[Machine, int], Judged],
) -> Iterator[Judged]:
    """What is answered at some states when a machine at the state `first` is taken on by another schedule.

    At states before `first` it is the run as it was that is asked.
    """
    for early in (step for step in steps if step <= first):
        before = run._seat.another()
        before.load(run.state(early))
        yield ask(before, early)
    at = first
    for step in (step for step in steps if step > first):
        for taken in range(at, step):
            stepper.take(machine, taken)
        at = step
        yield ask(machine, step)
