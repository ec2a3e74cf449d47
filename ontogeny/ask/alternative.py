"""Another journal for a run: what it says, from which step on that makes a difference, and what asking will cost."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ontogeny.data.without import Ranges, numbered
from ontogeny.isa.cost import routine_cost
from ontogeny.isa.errors import RecordError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program
from ontogeny.machine.reach import whole
from ontogeny.record import replay
from ontogeny.record.composition import MEANINGS, TAKE_BACK, WITHOUT
from ontogeny.record.creating import EVALUATE, check_dial
from ontogeny.record.example_entries import check_varies, numbers
from ontogeny.record.journal import Entry
from ontogeny.record.kept import loading_seconds, step_seconds
from ontogeny.record.recorded import Recorded
from ontogeny.record.run import Run
from ontogeny.record.schedule import DIAL, EFFECTIVE
from ontogeny.record.stepper import LEARN, Stepper

DRAWS = frozenset({Op.RAND_BITS, Op.UNIFORM})
TIMED = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer takes: steps of replay, both sides together, and evaluations of the other side.

    Where the seconds of a step were `measured`; those of an evaluation are by its operations, of a step's.
    """

    steps: int
    step_seconds: float
    measured: str
    evaluations: int
    evaluation_seconds: float
    loading_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """The whole."""
        taken = self.steps * self.step_seconds + self.evaluations * self.evaluation_seconds
        return self.loading_seconds + taken


@dataclass(frozen=True)
class Alternative:
    """A whole `journal`, by which the states up to `first` are the same as the run's; it is followed up to `last`.

    What the run's own journal says at the state `undone` is not in it.
    `touched` steps, from states `first` on, have a batch of other examples; in `empty` of them nothing is left and
    no step is taken. `remarks` are what else to know.
    """

    journal: tuple[Entry, ...]
    first: int
    last: int
    cost: Cost
    dials: Mapping[str, float]
    undone: int | None = None
    without: Ranges = ()
    touched: tuple[int, ...] = ()
    empty: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()


def alternative(
    run: Recorded,
    dials: Mapping[str, float] | None = None,
    without: str | Iterable[int] = (),
    start: int = 0,
    steps: int | None = None,
    undo: int | None = None,
    further: Iterable[Entry] = (),
) -> Alternative:
    """The run with dials turned at state `start`, with examples left out of its batches from there on, without all
    that its journal says at state `undo`, or with `further` entries, each at a state of its own.

    `without` are examples by number, or in words (3,17,40:60); they stay out whatever the run takes back later.
    `further` are made by `record/entries.py` and `example_entries.py`. `steps` is how far it is followed from the first
    step that differs; left out, as far as it is recorded. Raises RecordError or DataError for what the run has not.
    """
    checked_native(run)
    turned = {name: check_dial(run.program, name, value) for name, value in (dials or {}).items()}
    left_out = numbers(run, without) if without else ()
    asked = (*_turned(turned, start), *leaving_out(run, left_out, start), *further)
    journal = _journal(run, asked, start, undo)
    about = [entry.at for entry in asked if entry.kind in MEANINGS]
    others = [entry.at for entry in asked if entry.kind not in MEANINGS] + ([] if undo is None else [undo])
    touched, empty = _touched(run, journal, min(about)) if about else ((), ())
    first = min([*others, *touched[:1]], default=start)
    run.over(first, run.step)
    last = _last(run, first, steps)
    inside, none = (tuple(step for step in found if step < last) for found in (touched, empty))
    if not others and not inside:
        raise RecordError(f"none of these examples is in a batch of the steps from state {start} to state {last}")
    price, remarks = cost(run, first, last), tuple(_remarks(run, bool(inside), none))
    return Alternative(journal, first, last, price, turned, undo, left_out, inside, none, remarks)


def _turned(dials: Mapping[str, float], start: int) -> tuple[Entry, ...]:
    return tuple(Entry(DIAL, start, {"name": name, "value": value}) for name, value in dials.items())


def leaving_out(run: Recorded, left_out: Ranges, start: int) -> tuple[Entry, ...]:
    """Entries that leave examples out from a state on, and once more wherever the run takes some of them back."""
    if not left_out:
        return ()
    check_varies(run.program, "no example can be left out of a batch")
    back = [entry.at for entry in run.entries if entry.kind == TAKE_BACK and start <= entry.at < run.step]
    return tuple(Entry(WITHOUT, at, {"examples": left_out}) for at in dict.fromkeys([start, *back]))


def _journal(run: Recorded, asked: tuple[Entry, ...], start: int, undo: int | None) -> tuple[Entry, ...]:
    """The run's entries but those undone, and the new ones, which come after what stands at the same state."""
    if not asked and undo is None:
        raise RecordError("nothing is changed; turn a dial (lr=0.01) or leave examples out (3,17,40:60)")
    if odd := [at for at in (start, *(entry.at for entry in asked)) if not 0 <= at < run.step]:
        raise RecordError(f"no step is taken from state {odd[0]}; there are steps from the states 0 to {run.step - 1}")
    own = run._lineage.since(run.entries)
    entries = [*run.entries[: -len(own)], *(entry for entry in own if undo is None or not _undone(entry, undo))]
    if undo is not None and (len(entries) == len(run.entries) or undo >= run.step):
        raise RecordError(f"nothing was done at state {undo} that could be undone; the journal has {_done(run)}")
    return (*entries, *asked)


def _undone(entry: Entry, step: int) -> bool:
    return entry.kind in EFFECTIVE and entry.at == step


def _done(run: Recorded) -> str:
    """At which states something was done since the program began, in words."""
    own = run._lineage.since(run.entries)
    steps = dict.fromkeys(str(entry.at) for entry in own if entry.kind in EFFECTIVE and entry.at < run.step)
    return f"such entries at {', '.join(steps)}" if steps else "no such entry"


def checked_native(run: object) -> None:
    """Raises RecordError for what holds values alone, such as an attached run."""
    if not isinstance(run, Recorded):
        raise RecordError(
            "this run is the record of a loop that is not ours: it has values, but no program and no data to compute "
            "other ones from; og.capture makes a run that can be asked what if"
        )


def checked_same(run: Recorded, instead: str) -> None:
    """Raises RecordError, saying what to do instead, where a run learned by another program before its present one."""
    if run.changed:  # at step 0 nothing was learned before
        raise RecordError(
            f"the program changed at step {run.changed}, and what was learned before that is carried over; {instead}"
        )


def cost(run: Recorded, first: int, last: int, sides: int = 2) -> Cost:
    """Replay to `first`, and from there both sides, or one; by the step time that is recorded, or else measured now."""
    nearest = next((at for at, _ in run.history.keyframes(first)), run.history.first)
    steps = first - nearest + sides * (last - first)
    recorded = step_seconds(run.history, run.step)
    seconds = recorded or timed(run, nearest)
    count = 1 + sum(first < row["step"] < last for row in run.evaluations())
    share = _share(run.program) if run.valid else 0.0
    loading = loading_seconds(run.history, run.step, run.start["machine"])
    how = "recorded" if recorded else "measured now"
    return Cost(steps, seconds, how, count if share else 0, share * seconds, loading)


def _share(program: Program) -> float:
    """The operations of `evaluate`, of those of `learn`; 0 without one."""
    if not program.has(EVALUATE):
        return 0.0
    one, whole = (routine_cost(program, name).total.operations for name in (EVALUATE, LEARN))
    return one / max(1, whole)


def timed(run: Recorded, first: int) -> float:
    """Seconds of a step of the run after the state `first`, on a machine of its own; the shortest of a few.

    Infinite where the run has taken no step from there.
    """
    machine = run._seat.another()
    machine.load(run.history.nearest(first)[1])
    best, before = float("inf"), time.perf_counter()
    for _ in replay.walk(machine, run.history, run._stepper, first, min(first + TIMED, run.step)):
        now = time.perf_counter()
        best, before = min(best, now - before) if _ > first else best, now
    return best


def _touched(run: Recorded, journal: tuple[Entry, ...], start: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The steps whose batch is of other examples by a journal, and those in which none is left; read off the orders."""
    found, empty = list[int](), list[int]()
    actual, other = run._stepper, Stepper(run.ground, run._lineage.schedule(journal))
    for step in range(start, run.step):
        was, would_be = (numbered(each.examples(step)).indices(step) for each in (actual, other))
        if not np.array_equal(was, would_be):
            found.append(step)
            if not len(would_be):
                empty.append(step)
    return tuple(found), tuple(empty)


def _last(run: Recorded, first: int, steps: int | None) -> int:
    if steps is None:
        return run.step
    if steps < 1 or first + steps > run.step:
        raise RecordError(f"{steps} steps from state {first} cannot be followed; the run has {run.step - first}")
    return first + steps


def _remarks(run: Recorded, rows: bool, empty: tuple[int, ...]) -> Iterator[str]:
    if empty:
        yield f"in {len(empty)} steps, the first from state {empty[0]}, no example is left, so that no step is taken"
    if rows and whole(run.program, run.program.routine(LEARN)).ops & DRAWS:
        yield "what is drawn at random for a place of the batch (dropout) goes by the place in the batch"
    if run.start["options"].get("mode") == "fast":
        yield "the run was compiled by inductor, which takes some seconds again for every other size of a batch"


def kept(run: Run, other: Alternative, folder: Path | str, author: str = "you") -> Run:
    """The alternative as a run: a fork before the first step that differs, taken as far as it was asked for.

    Entries of the run that come later are entered again, each at its own step. Raises RecordError where a step would
    have no example left, since a run has no such step, and where what is undone was done at the very beginning.
    """
    if other.empty:
        raise RecordError(f"the step from state {other.empty[0]} has no example left, and a run takes every step")
    if other.undone == 0:
        raise RecordError("what was done at state 0 cannot be undone by a fork; create the run anew")
    base = other.first - (other.undone == other.first)  # a fork has all that was done at its own state
    run.over(base, other.last)
    child = run.fork(base, folder, author=author)
    inherited = set(map(id, run.entries))
    for entry in sorted(other.journal, key=lambda entry: entry.at):
        if entry.kind in EFFECTIVE and entry.at < other.last and (entry.at > base or id(entry) not in inherited):
            child.advance(max(0, entry.at - child.step))
            child.enter(entry, author=author if id(entry) not in inherited else entry.author)
    child.advance(other.last - child.step)
    return child
