"""Which parameters' charts have the same shape as one parameter's: all of them, with a proof that none is missed.

The shape of a chart is its series over a window (updates, or values) without its mean and its size; two are compared by
Pearson's correlation, computed in f64 from the recorded bits (`series`). The answer is every element whose correlation
with the query's reaches a threshold. An index (`shape_index`) rules out most without looking at them, by bounds that
hold whatever the rounding; what it leaves is compared in full. The proof is a count: ruled out, certain, compared and
shapeless elements together are all there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.index_cache import shape_index, traces_of
from ontogeny.ask.series import UPDATES, Floats, Span, best, lags, shapes, span, total, without
from ontogeny.ask.shape_index import Found, ShapeIndex, Slots
from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.layout import Tensor
from ontogeny.record.trace.traces import ALL, Traces, Window, element, shown

AT_LEAST = 0.95
FALLING = (0.99, 0.97, 0.95, 0.9, 0.8, 0.6, 0.3, -1.0)
"""The thresholds by which the nearest few are looked for."""
PIECE = 1 << 22
"""Numbers of series that are compared in full at a time."""


@dataclass(frozen=True, slots=True)
class Match:
    """An element, its correlation with the query, and the lag of it: so many steps the element's chart is behind."""

    name: str
    place: int
    shown: str
    score: float
    lag: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of each element. All but `elements` add up to it.

    Series that are `constant`, or `not_finite` throughout, have no shape; `missing` ones are not recorded at every step
    of the window. `by_head` and `by_vector` were ruled out by a bound; `certain` ones match by a bound; `compared` were
    compared in full, in f64.
    """

    elements: int
    constant: int
    not_finite: int
    missing: int
    by_head: int
    by_vector: int
    certain: int
    compared: int

    @property
    def whole(self) -> bool:
        """Whether every element is accounted for."""
        parts = (self.constant, self.not_finite, self.missing, self.by_head, self.by_vector, self.certain)
        return sum(parts) + self.compared == self.elements


@dataclass(frozen=True)
class Alike:
    """The answer: the matching elements, by number over all tensors, the best first, with scores and lags.

    The query itself is left out. `tolerance` is how far a score may be from the exact one: 0 where it was compared.
    """

    query: str
    over: str
    steps: tuple[int, int]
    at_least: float
    elements: Slots
    scores: Floats
    lags: npt.NDArray[np.int64]
    tolerance: float
    proof: Proof
    tensors: Mapping[str, Tensor]
    starts: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.elements)

    def matches(self, count: int | None = None) -> list[Match]:
        """The first `count` matches (default: all), named."""
        found = []
        for number, score, lag in zip(self.elements[:count], self.scores, self.lags, strict=False):
            name, place = owner(self.starts, int(number))
            found.append(Match(name, place, shown(self.tensors[name], place), float(score), int(lag)))
        return found


@dataclass(frozen=True)
class Question:
    """A query's own series, and how others are compared with it."""

    centred: Floats
    removed: Floats
    tried: list[int]
    either_sign: bool

    @property
    def unit(self) -> Floats:
        """The series at length one."""
        found: Floats = self.centred / np.sqrt(total((self.centred * self.centred)[:, None]))
        return found

    def size(self, scores: Floats) -> Floats:
        """What a threshold is held against."""
        return np.abs(scores) if self.either_sign else scores


def alike(
    source: Any,
    query: str,
    at_least: float | None = None,
    *,
    over: str = UPDATES,
    window: Window = ALL,
    either_sign: bool = False,
    lag: int = 0,
    without_modes: int = 0,
    top: int | None = None,
    exact_scores: bool = True,
) -> Alike:
    """Every element whose series correlates with that of `query` (`embed.weight[3,7]`) by `at_least` (0.95) or more.

    `source` is a run or its trajectories. With `either_sign`, opposite charts match too. With `lag` n the best of the
    lags -n to n counts: at lag l, points s + l of the element meet points s of the query, and both parts are centred
    anew. `without_modes` projects so many shared modes out of every series first (what is left is not centred again).
    `top` gives the nearest so many, of those that reach `at_least` where that is given too; ties go to the lower
    number. Without `exact_scores` those that match for certain are not compared in full; their scores are then within
    `tolerance`, and who matches is as exact as ever.
    Raises RecordError for a query that has no shape, and for names, windows and thresholds that are none.
    """
    traces = traces_of(source)
    over_steps = span(traces, over, window)
    _check(at_least, lag, top, without_modes, over_steps)
    name, place = element(traces, query)  # before an index is made for what is not there
    index = shape_index(source, over_steps, without_modes)
    asked = _question(traces, over_steps, index, name, place, lag, either_sign)
    own = index.about["counts"]["starts"][name] + place
    plan = _Plan(traces, over_steps, index, asked, exact_scores or lag > 0)
    if top is None:
        answer = plan.answer(AT_LEAST if at_least is None else at_least, own, None)
    else:
        answer = plan.nearest(-1.0 if at_least is None else at_least, own, top)
    return replace(answer, query=shown(traces.tensors[name], place))


def owner(starts: Mapping[str, int], number: int) -> tuple[str, int]:
    """The tensor that an element of a number belongs to, and its flat place there."""
    names, firsts = list(starts), list(starts.values())
    at = int(np.searchsorted(firsts, number, "right")) - 1
    return names[at], number - firsts[at]


def series_of(traces: Traces, over: Span, starts: Mapping[str, int], elements: Slots) -> Floats:
    """The series [length, n] of elements by number."""
    found = np.empty((over.length, len(elements)))
    firsts = np.array(list(starts.values()))
    homes = np.searchsorted(firsts, elements, "right") - 1
    for home in np.unique(homes):
        of = np.flatnonzero(homes == home)
        _, values = traces.lines(list(starts)[home], elements[of] - firsts[home], over.states)
        found[:, of] = over.series(values)
    return found


def ranking(size: Floats, elements: Slots) -> Slots:
    """The order by falling size, ties by rising number: sorts of whole numbers, since sorting by two keys is slow."""
    order = np.argsort(-size)
    same = size[order[1:]] == size[order[:-1]]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same)) if len(order) else order
    if not len(tied):
        return order
    members = order[tied]
    rank = np.cumsum(np.append(True, size[members[1:]] != size[members[:-1]]))
    if max(len(rank), int(elements.max())) >= 1 << 31:
        order[tied] = members[np.lexsort((elements[members], rank))]
    else:
        order[tied] = members[np.argsort((rank << 32) | elements[members])]
    return order


@dataclass(frozen=True)
class _Plan:
    """One question over one index."""

    traces: Traces
    over: Span
    index: ShapeIndex
    asked: Question
    exact: bool

    def answer(self, at_least: float, own: int, top: int | None) -> Alike:
        """Searches, compares what is left, and sorts. With `top`, what cannot be among so many is not compared."""
        found = self._search(at_least)
        if top is not None and len(self.asked.tried) == 1 and len(found.slots) > top + 1:
            found = self._nearest_of(found, top + 1)
        elements = self.index.order[found.slots]
        scores, which = found.scores.copy(), np.zeros(len(elements), np.int64)
        full = np.arange(len(elements)) if self.exact else np.flatnonzero(~found.sure)
        scores[full], which[full] = self._compared(elements[full], None if found.able is None else found.able[:, full])
        with np.errstate(invalid="ignore"):
            keep = np.flatnonzero((self.asked.size(scores) >= at_least) & (elements != own))
        keep = keep[ranking(self.asked.size(scores[keep]), elements[keep])][:top]
        counts = self.index.about["counts"]
        spent = (found.by_head, found.by_vector, len(elements) - len(full), len(full))
        proof = Proof(counts["elements"], counts["constant"], counts["not_finite"], counts["missing"], *spent)
        return Alike(
            query="",
            over=self.over.over,
            steps=(int(self.over.steps[0]), int(self.over.steps[-1])),
            at_least=at_least,
            elements=elements[keep],
            scores=scores[keep],
            lags=which[keep],
            tolerance=0.0 if self.exact else self.index.tolerance,
            proof=proof,
            tensors=self.traces.tensors,
            starts=counts["starts"],
        )

    def nearest(self, floor: float, own: int, top: int) -> Alike:
        """Lowers the threshold until enough match."""
        thresholds = [*(t for t in FALLING if t > floor), floor]
        answers = (self.answer(threshold, own, top) for threshold in thresholds)
        found = next((answer for answer in answers if len(answer) >= top), None)
        return replace(found, at_least=floor) if found else self.answer(floor, own, top)

    def _search(self, at_least: float) -> Found:
        asked = self.asked
        if len(asked.tried) > 1:
            return self.index.search_lagged(asked.unit, at_least, asked.either_sign, asked.tried)
        return self.index.search(asked.unit, at_least, asked.either_sign)

    def _nearest_of(self, found: Found, count: int) -> Found:
        """Without those that so many others are nearer than, whatever the scores' tolerance."""
        size = self.asked.size(found.scores)
        return found.taken(size >= np.partition(size, -count)[-count] - 2 * self.index.tolerance)

    def _compared(self, elements: Slots, able: npt.NDArray[np.bool_] | None) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Exact scores and lags, a bounded number of series at a time."""
        scores, which = np.empty(len(elements)), np.zeros(len(elements), np.int64)
        order = np.argsort(elements)
        width = max(1, PIECE // self.over.rows)
        for first in range(0, len(order), width):
            part = order[first : first + width]
            series = series_of(self.traces, self.over, self.index.about["counts"]["starts"], elements[part])
            centred = without(shapes(series)[0], self.asked.removed)
            asked, tried = self.asked, None if able is None else able[:, part]
            scores[part], which[part] = best(centred, asked.centred, asked.tried, asked.either_sign, tried)
        return scores, which


def _question(
    traces: Traces, over: Span, index: ShapeIndex, name: str, place: int, lag: int, either_sign: bool
) -> Question:
    steps, values = traces.lines(name, [place], over.states)
    called = shown(traces.tensors[name], place)
    if len(steps) != over.rows:
        raise RecordError(f"{called} is not recorded at every step of the window; choose one in which it is")
    centred, constant, unsound = shapes(over.series(values))
    if constant[0] or unsound[0]:
        what = f"its {over.over} are all the same" if constant[0] else f"its {over.over} are not all finite"
        raise RecordError(f"{called} has no shape over steps {over.steps[0]} to {over.steps[-1]}: {what}")
    centred = without(centred, index.removed)
    if not centred.any():
        raise RecordError(f"nothing is left of {called} without the shared modes; take fewer of them out")
    return Question(centred[:, 0], index.removed, lags(lag), either_sign)


def _check(at_least: float | None, lag: int, top: int | None, without_modes: int, over: Span) -> None:
    if at_least is not None and not 0 < at_least <= 1:
        raise RecordError(f"a correlation of at least {at_least} was asked for; give a number above 0 and up to 1")
    if not 0 <= lag <= over.length // 2:
        raise RecordError(f"a lag of {lag} was asked for; give 0 to {over.length // 2}, half of the window")
    if top is not None and top < 1:
        raise RecordError(f"the nearest {top} were asked for; give 1 or more")
    if not 0 <= without_modes <= min(8, over.length - 3):
        raise RecordError(f"{without_modes} modes cannot be taken out; give 0 to {min(8, over.length - 3)}")
