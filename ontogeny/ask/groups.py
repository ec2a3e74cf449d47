"""Groups of parameters that move together, each with its common chart, its members, and when it formed.

A group is a leader and every element whose correlation with it reaches the threshold and that no group before it took.
Leaders are drawn from a sample: of its elements that are in no group yet, the one with the most others of the sample
within the threshold, again and again, until none has any.

Guaranteed: each member's correlation with its leader reaches the threshold (in f64), no element that belongs and was
still free is left out, and no two leaders reach it. Where the sample is everything, and the number of groups was not
cut short, no two free elements reach it either.
Not guaranteed: that two members reach it with each other, that another choice of leaders would not cut otherwise, and
that small groups are met: one that holds the share p of all elements is in a sample of n with probability
1 - (1 - p)^n - n p (1 - p)^(n - 1), two of it being needed to be seen: 0.98 for p = 0.15% and n = 4096.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask import shape_sample
from ontogeny.ask.alike import AT_LEAST, Match, owner, series_of
from ontogeny.ask.index_cache import shape_index, traces_of
from ontogeny.ask.series import UPDATES, Floats, Span, pearson, shapes, span, without
from ontogeny.ask.shape_index import CHUNK, ShapeIndex, Slots, rounding, stretches
from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.traces import ALL, Traces, Window, shown

SAMPLE = 4096
WITNESSES = 256
STRONGEST = 5
TRAILING = 16
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Group:
    """A group: its leader, how many elements it has and of which tensors, and its common chart.

    `chart` is the mean of the members' unit series (those opposite to the leader turned round), to within 2^-15.
    `formed` is the first step at which the members' mean correlation with the chart over a short trailing window
    reaches the threshold and stays there for as long again, and `held` the last of that stretch; None where there is
    no such. `strongest` are those nearest to the chart.
    """

    leader: str
    size: int
    tensors: Mapping[str, int]
    chart: Floats
    formed: int | None
    held: int | None
    strongest: tuple[Match, ...]
    elements: Slots


@dataclass(frozen=True)
class Groups:
    """The groups, the largest of the sample first; the shared modes; and how much of everything was grouped.

    `energy` is the share of a sample's energy (each element's unit series counts the same) that each of the shared
    `modes` [steps, m] holds; `sampled` says how many elements could become leaders. `starts` is the number of each
    tensor's first element.
    """

    over: str
    steps: npt.NDArray[np.int64]
    at_least: float
    groups: tuple[Group, ...]
    energy: tuple[float, ...]
    modes: Floats
    elements: int
    shaped: int
    sampled: int
    starts: Mapping[str, int]

    @property
    def grouped(self) -> int:
        """Elements that are in a group."""
        return sum(group.size for group in self.groups)


def groups(
    source: Any,
    at_least: float = AT_LEAST,
    *,
    over: str = UPDATES,
    window: Window = ALL,
    either_sign: bool = False,
    without_modes: int = 0,
    most: int = 20,
    trailing: int = TRAILING,
) -> Groups:
    """At most `most` groups of two or more elements whose series reach a correlation of `at_least` with their leader's.

    `trailing` is how many points the running correlation looks back. Raises RecordError for what cannot be meant.
    """
    traces = traces_of(source)
    steps = span(traces, over, window)
    if not 0 < at_least <= 1 or most < 1 or trailing < 3:
        raise RecordError(
            f"groups at {at_least}, at most {most}, looking back {trailing} points were asked for; give a correlation "
            f"above 0 and up to 1, one group or more, 3 points or more"
        )
    index = shape_index(source, steps, without_modes)
    finder = _Finder(traces, steps, index, at_least, either_sign, min(trailing, steps.length))
    counts = index.about["counts"]
    found, sampled = finder.all(most)
    every = (counts["elements"], counts["shaped"], sampled, counts["starts"])
    return Groups(over, steps.steps, at_least, tuple(found), tuple(index.about["energy"]), index.modes, *every)


def names(source: Any, found: Groups, group: Group) -> list[str]:
    """What the members of a group are called, as `embed.weight[3,7]`, tensor by tensor."""
    tensors = traces_of(source).tensors
    owners = (owner(found.starts, int(number)) for number in group.elements)
    return [shown(tensors[name], place) for name, place in owners]


@dataclass(frozen=True)
class _Finder:
    """The search for groups in one index."""

    traces: Traces
    over: Span
    index: ShapeIndex
    at_least: float
    either_sign: bool
    trailing: int

    def all(self, most: int) -> tuple[list[Group], int]:
        """Leader after leader, while there is a pair among what is free in the sample; and how large the sample is."""
        places, sample = shape_sample.series(self.index.sample, self.over, self.index.removed, SAMPLE)
        slots = self._slots(shape_sample.drawn(self.index.about["counts"]["elements"])[places])
        near = self._neighbours(sample)
        free = np.ones(len(self.index.order), np.bool_)
        found: list[Group] = []
        while len(found) < most and len(slots):
            open_ones = free[slots]
            counts = np.where(open_ones, near @ open_ones.astype(np.float32), 0.0)
            if counts.max() < 2:
                break
            leader = int(slots[int(np.argmax(counts))])
            members = self._members(leader, free)
            near[slots == leader] = 0.0
            if len(members) > 1:
                free[members] = False
                found.append(self._described(leader, members))
        return found, len(slots)

    def _slots(self, elements: Slots) -> Slots:
        """The slots of elements that have a shape."""
        slots = np.full(self.index.about["counts"]["elements"], -1)
        slots[self.index.order] = np.arange(len(self.index.order))
        found: Slots = slots[elements]
        return found

    def _neighbours(self, sample: Floats) -> npt.NDArray[np.float32]:
        """Which centred series of a sample [length, n] reach the threshold with which, as 0 and 1."""
        units = sample / np.linalg.norm(sample, axis=0)
        near: npt.NDArray[np.bool_] = self._size(units.T @ units) >= self.at_least - rounding(self.over.length)
        return near.astype(np.float32)

    def _size(self, scores: Any) -> Any:
        return np.abs(scores) if self.either_sign else scores

    def _members(self, leader: int, free: Flags) -> Slots:
        """The free slots that reach the threshold with a leader: those that the index leaves open compared in full."""
        lead = self._centred(self.index.order[[leader]])[:, 0]
        found = self.index.search(lead / np.linalg.norm(lead), self.at_least, self.either_sign)
        kept = found.sure.copy()
        unsure = np.flatnonzero(~found.sure & free[found.slots])
        width = max(1, (1 << 22) // self.over.rows)
        for first in range(0, len(unsure), width):
            part = unsure[first : first + width]
            exact = pearson(self._centred(self.index.order[found.slots[part]]), lead)
            kept[part] = self._size(exact) >= self.at_least
        return found.slots[kept & free[found.slots]]

    def _centred(self, elements: Slots) -> Floats:
        series = series_of(self.traces, self.over, self.index.about["counts"]["starts"], elements)
        return without(shapes(series)[0], self.index.removed)

    def _described(self, leader: int, members: Slots) -> Group:
        index, starts = self.index, self.index.about["counts"]["starts"]
        towards = np.ones(len(members))
        if self.either_sign:
            lead = index.vectors(np.array([leader]))[0]
            towards = np.sign(_over(members, lambda part: index.vectors(part) @ lead)).astype(np.float64)
        chart = self._chart(members, towards)
        scores = _over(members, lambda part: index.vectors(part) @ chart) / np.linalg.norm(chart)
        order = np.argsort(-self._size(scores), kind="stable")[:STRONGEST]
        elements = index.order[members]
        formed, held = self._formed(elements, towards, chart)
        names = list(starts)
        homes = np.bincount(np.searchsorted(list(starts.values()), elements, "right") - 1, minlength=len(names))
        return Group(
            leader=self._shown(int(index.order[leader])),
            size=len(members),
            tensors={name: int(count) for name, count in zip(names, homes, strict=True) if count},
            chart=chart,
            formed=formed,
            held=held,
            strongest=tuple(self._match(int(elements[i]), float(scores[i])) for i in order),
            elements=np.sort(elements),
        )

    def _chart(self, members: Slots, towards: Floats) -> Floats:
        """The mean of the members' unit series."""
        summed = np.zeros(self.index.length)
        for first in range(0, len(members), CHUNK):
            part = slice(first, first + CHUNK)
            summed += towards[part] @ self.index.vectors(members[part])
        return summed / len(members)

    def _formed(self, elements: Slots, towards: Floats, chart: Floats) -> tuple[int | None, int | None]:
        """When a few hundred members first run together, and until when; members are drawn evenly by number."""
        taken = np.unique(np.linspace(0, len(elements) - 1, WITNESSES).astype(np.int64))
        centred = self._centred(elements[taken]) * towards[taken]
        found = stretch(running(centred, chart, self.trailing) >= self.at_least, self.trailing)
        if found is None:
            return None, None
        first, last = (int(self.over.steps[self.trailing - 1 + at]) for at in found)
        return first, last

    def _shown(self, number: int) -> str:
        name, place = owner(self.index.about["counts"]["starts"], number)
        return shown(self.traces.tensors[name], place)

    def _match(self, number: int, score: float) -> Match:
        name, place = owner(self.index.about["counts"]["starts"], number)
        return Match(name, place, self._shown(number), score, 0)


def running(series: Floats, chart: Floats, trailing: int) -> Floats:
    """The mean correlation of series [length, n] with a chart over each stretch of `trailing` points, by its last."""
    found = []
    for first in range(len(series) - trailing + 1):
        part = slice(first, first + trailing)
        scores = pearson(shapes(series[part])[0], shapes(chart[part, None])[0][:, 0])
        found.append(float(np.mean(scores[np.isfinite(scores)])) if np.isfinite(scores).any() else 0.0)
    return np.array(found)


def stretch(together: Flags, long: int) -> tuple[int, int] | None:
    """The first and last place of the first stretch of `long` or more that hold; where there are fewer, of all."""
    enough = [(int(a), int(b) - 1) for a, b in stretches(together) if b - a >= min(long, len(together))]
    return enough[0] if enough else None


def _over(members: Slots, compute: Callable[[Slots], Any]) -> Floats:
    """A number for each member, computed a chunk at a time."""
    return np.concatenate([compute(members[first : first + CHUNK]) for first in range(0, len(members), CHUNK)])
