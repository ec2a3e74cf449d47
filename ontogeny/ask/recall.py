"""How exactly each training item is reproduced, against how often it was seen and when last.

An item is a training example. How often it was seen, and at which step last, is read off the order of the data and the
journal, so it is what the run really learned from, whatever was left out or mixed in on the way. Beside the items stand
held-out examples, which were never seen: what is reproduced of these is understood, or easy, not remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.alternative import checked_native
from ontogeny.ask.extraction import Continued, Continuing
from ontogeny.ask.items import ByClass, Judged, Named
from ontogeny.ask.left_out import occurrences
from ontogeny.ask.memorised import Memorised, Meter, examples_of, spread
from ontogeny.data.pool import by_number
from ontogeny.isa.errors import RecordError
from ontogeny.record.example_entries import numbers
from ontogeny.record.recorded import Recorded

Places = npt.NDArray[np.int64]
MOST = 4096
CONTINUED = 256
"""Of the items, and of the held-out windows, so many are continued: each takes a call of `predict` per token."""
GROUPS = 6


@dataclass(frozen=True, slots=True)
class Group:
    """Items that were seen from `low` to `high` times, or so many steps ago: how they are reproduced in the mean."""

    low: int
    high: int
    items: int
    loss: float
    right: float
    exact: float


@dataclass(frozen=True)
class Recall:
    """Items at a state of a run.

    `numbers`, `seen` (times) and `last` (the state whose step last learned from it, -1 for never) are i64[items];
    `classes` says whether targets are classes, and losses nats, or real numbers. `continued` are the items at
    `continued_numbers`, `baseline` held-out windows; `silent` says why there are none.
    """

    step: int
    classes: bool
    numbers: Places
    seen: Places
    last: Places
    items: Judged
    valid: Judged | None
    continued_numbers: Places
    continued: Continued | None
    baseline: Continued | None
    silent: str
    memorised: Memorised

    @property
    def by_seen(self) -> tuple[Group, ...]:
        """Items by how often they were seen."""
        return _groups(self.seen, self.items)

    @property
    def by_recency(self) -> tuple[Group, ...]:
        """Items by how many steps ago they were seen last; those never seen are left out."""
        known = self.last >= 0
        return _groups((self.step - self.last)[known], _some(self.items, known))

    def as_json(self, count: int | None = None) -> dict[str, Any]:
        """Everything as plain values; of the items the first `count` in the order of their numbers, or all."""
        rows = range(len(self.numbers) if count is None else min(count, len(self.numbers)))
        said = {int(number): place for place, number in enumerate(self.continued_numbers)}
        return {
            "step": self.step,
            "targets": "classes" if self.classes else "real numbers",
            "items": [self._row(place, said) for place in rows],
            "of": len(self.numbers),
            "exact": float(np.mean(self.items.exact)),
            "held_out_exact": None if self.valid is None else float(np.mean(self.valid.exact)),
            "by_seen": [asdict(one) for one in self.by_seen],
            "by_recency": [asdict(one) for one in self.by_recency],
            "continued": self.continued and self.continued.as_json(),
            "held_out_continued": self.baseline and self.baseline.as_json(),
            "not_continued": self.silent or None,
            "memorised": self.memorised.as_json(),
        }

    def _row(self, place: int, said: dict[int, int]) -> dict[str, Any]:
        number, last = int(self.numbers[place]), int(self.last[place])
        row = {
            "example": number,
            "seen": int(self.seen[place]),
            "last": last if last >= 0 else None,
            "loss": float(self.items.loss[place]),
            "right": float(self.items.right[place]),
            "exact": bool(self.items.exact[place]),
        }
        if self.classes:
            row |= {"rank": float(self.items.rank[place]), "least_probability": float(self.items.reached[place])}
        if self.continued is not None and number in said:
            row["continued"] = int(self.continued.until[said[number]])
        return row


def recall(
    run: Recorded,
    examples: str | Iterable[int] = (),
    at: int | None = None,
    prefix: int = 0,
    length: int = 0,
    most: int = MOST,
    continued: int = CONTINUED,
) -> Recall:
    """How exactly training examples are reproduced at a state of a run (default: the present one).

    `examples` by number, or in words (3,17,40:60); else all, or `most` of them evenly spaced. Sequences are continued
    for `length` tokens after `prefix` (default: the second half of a window), `continued` of them. Raises RecordError
    or DataError for what the run has not.
    """
    checked_native(run)
    step = run.step if at is None else at
    if not 0 <= step <= run.step:
        raise RecordError(f"step {step} is not recorded; there are steps 0 to {run.step}")
    if min(most, continued) < 1:
        raise RecordError(f"most {most} examples, {continued} of them continued; give 1 or more of each")
    asked = [n for first, stop in numbers(run, examples) for n in range(first, stop)] if examples else None
    chosen = spread(np.arange(examples_of(run)), most) if asked is None else np.array(asked, np.int64)
    met, run = occurrences(run, step), run.as_of(step)
    seen, last = (np.array([f(met.get(n, [])) for n in chosen.tolist()]) for f in (len, lambda s: s[-1] if s else -1))
    registers, dials = run.state(step), run.dials(step)
    data, meter = by_number(run.data, int(chosen.max())), Meter(run, most, lambda _: registers)
    asking, valid = meter.judge, meter.valid
    asking.load(registers)
    every = np.union1d(chosen, meter.others)
    judged = asking(data.examples(every), dials)
    items, others = (_some(judged, np.searchsorted(every, which)) for which in (chosen, meter.others))
    beside = asking(valid, dials) if valid is not None else None
    sides = spread(np.arange(len(chosen)), continued), data.examples(chosen), valid
    ours, theirs, silent = _continued(run, asking.label, (registers, dials), sides, (prefix, length), continued)
    memorised = meter.told(step, dials, others if len(others) else None, beside)
    known = chosen[sides[0]] if ours is not None else chosen[:0]
    classes = isinstance(asking, ByClass)
    return Recall(step, classes, chosen, seen, last, items, beside, known, ours, theirs, silent, memorised)


def _continued(
    run: Recorded,
    label: str,
    standing: tuple[Named, dict[str, float]],
    sides: tuple[Places, Named, Named | None],
    lengths: tuple[int, int],
    most: int,
) -> tuple[Continued | None, Continued | None, str]:
    """How some rows are continued by registers and dials, and held-out windows; or why none is."""
    (registers, dials), (places, arrays, valid) = standing, sides
    try:
        continuing = Continuing(run, label)
    except RecordError as why:
        if any(lengths):
            raise
        return None, None, str(why)
    continuing.load(registers)
    ours = continuing({name: array[places] for name, array in arrays.items()}, dials, *lengths)
    theirs = None
    if valid is not None:
        rows = spread(np.arange(len(next(iter(valid.values())))), most)
        theirs = continuing({name: array[rows] for name, array in valid.items()}, dials, *lengths)
    return ours, theirs, ""


def _some(items: Judged, which: npt.NDArray[np.bool_] | Places) -> Judged:
    return Judged(*(getattr(items, name)[which] for name in Judged.__dataclass_fields__))


def _groups(by: Places, items: Judged) -> tuple[Group, ...]:
    """Items in groups of about as many, by a number; one for each number where there are few."""
    values = np.unique(by)
    if not len(values):
        return ()
    if len(values) > GROUPS:
        cuts = np.quantile(by, np.linspace(0, 1, GROUPS + 1)[1:-1], method="closest_observation")
        lows = np.unique([values[0], *cuts])
    else:
        lows = values
    home = np.searchsorted(lows, by, side="right") - 1
    found = []
    for place in range(len(lows)):
        own = home == place
        means = (float(np.nanmean(one[own])) for one in (items.loss, items.right, items.exact))
        found.append(Group(int(by[own].min()), int(by[own].max()), int(own.sum()), *means))
    return tuple(found)
