"""Where a candidate came from: its ancestors, and at every step that was better the change that made the difference.

Nothing of this is written while a search goes on: a search is a pure function, so it is gone through again. Of a
population who came from whom is logged, and the line is followed from one that was judged to the first; of parents that
were crossed the one that was better. Of CGP, whose line is its parent, the generations are found in which it improved.
Of islands the line goes on where a guest came from.

A change is taken back by itself: where the candidate is worse without it, it made the difference. So are the changes
since the improvement before, which changed no error when they came: what drifted in, and was built on.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from ontogeny.evolve.fitness.tables import closed
from ontogeny.evolve.gates.rows import Rows, change_said
from ontogeny.evolve.genome import Genes
from ontogeny.evolve.methods.breeding import Generation
from ontogeny.evolve.methods.cgp import Parent
from ontogeny.evolve.methods.islands import Archipelago, Islands
from ontogeny.evolve.recording.course import Course
from ontogeny.evolve.recording.logged import Logged, LoggedIslands
from ontogeny.evolve.recording.recorded import RecordedSearch
from ontogeny.evolve.search import LEG
from ontogeny.evolve.spaces import Netlists
from ontogeny.isa.errors import SearchError

MOST_TRIED = 400
"""Changes of one step that are taken back one by one."""


@dataclass(frozen=True)
class Step:
    """A candidate on the line that was better than all before it.

    `made` are the changes from its parent without which it is worse; `built_on` those since the step before, that
    were neutral then, and without which it is worse as well. `changes` and `drifted` count all of either.
    """

    number: int
    error: float
    size: int
    made: tuple[str, ...]
    changes: int
    built_on: tuple[str, ...]
    drifted: int
    ancestors: int = 0


@dataclass(frozen=True)
class Line:
    """A step by its genes: those before it, its parent's and its own."""

    number: int
    error: float
    before: Genes | None
    parent: Genes | None
    genes: Genes
    ancestors: int = 0


def lineage(search: RecordedSearch, number: int | None = None) -> list[Step]:
    """The steps that led to a candidate, the first one first; by default to the best.

    Raises SearchError for a number that was not judged, and for methods that keep no line.
    """
    end = search.course.evaluations
    if number is not None and not 0 <= number < end:
        raise SearchError(f"there is no candidate {number:,}; the search has judged those from 0 to {end - 1:,}")
    if isinstance(search.course.standing.state, Parent):
        found = list(_of_parent(search, end if number is None else number + 1))
    else:
        found = _of_population(search, end, number)
    space, fitness = search.began.fitness.space, search.course.search.fitness
    if not isinstance(space, Netlists):
        return [_counted(one) for one in found]
    try:
        return [_explained(one, space, fitness) for one in found]
    finally:
        closed(fitness)


def _of_parent(search: RecordedSearch, end: int) -> Iterator[Line]:
    """The generations in which CGP's parent became better, each found between two looks by halving."""
    course, before = search.replayed(), None
    while course.evaluations < end:
        earlier, course = _next_change(course, min(LEG, end - course.evaluations))
        if earlier is None:
            continue
        state, parent = course.standing.state, earlier.standing.state
        first = parent.error is None
        children = earlier.search.method.ask(parent).genes
        number = parent.evaluations + int(np.flatnonzero((children == state.genes).all(axis=1))[-1])
        yield Line(number, float(state.error), before, None if first else parent.genes, state.genes)
        before = state.genes


def _key(course: Course) -> tuple[float, int]:
    state = course.standing.state
    error = np.inf if state.error is None else state.error
    return error, state.gates if error <= course.search.goal else 0


def _next_change(course: Course, most: int) -> tuple[Course | None, Course]:
    """The courses before and after the next generation that is better; None and the end of so many evaluations."""
    low, high = course, copy.copy(course)
    high.further(most)
    if _key(high) == _key(low):
        return None, high
    while high.evaluations - low.evaluations > 1:
        probe = copy.copy(low)
        probe.further(max(1, (high.evaluations - low.evaluations) // 2))
        if probe.evaluations >= high.evaluations:
            probe = copy.copy(low)
            probe.further(1)
        if _key(probe) == _key(low):
            low = probe
        elif probe.evaluations == high.evaluations:
            break
        else:
            high = probe
    return low, high


def _of_population(search: RecordedSearch, end: int, number: int | None) -> list[Line]:
    """The line of a candidate by who came from whom."""
    log = _logged(search, end, frozenset())
    if not log.parents:
        raise SearchError(f"{_named(search.began.method)} does not tell who came from whom, so there is no line")
    at = _best_number(search, log) if number is None else number
    line = [at]
    while parents := log.parents[line[-1]]:
        line.append(min(parents, key=lambda parent: log.told[parent]))
    better, least = [], np.inf
    for place, one in enumerate(reversed(line)):
        if log.told[one] < least or one == at:
            better.append((place, one))
            least = min(least, log.told[one])
    parents_of = {one: line[line.index(one) + 1] for _, one in better if one != line[-1]}
    genes = _logged(search, end, frozenset([*(one for _, one in better), *parents_of.values()])).genes
    found, before = [], None
    for place, one in better:
        parent = genes[parents_of[one]] if one in parents_of else None
        found.append(Line(one, log.told[one], before, parent, genes[one], place))
        before = genes[one]
    return found


def _logged(search: RecordedSearch, end: int, wanted: frozenset[int]) -> Logged:
    course = search.replayed()
    plain = course.search
    logged = LoggedIslands if isinstance(plain.method, Islands) else Logged
    course.search = logged(plain.method, plain.fitness, plain.evaluations, plain.prune, plain.goal, failed=plain.failed,
                           note=plain.note, wanted=wanted)  # fmt: skip
    with closing(course):
        course.to(end)
    assert isinstance(course.search, Logged)
    return course.search


def _best_number(search: RecordedSearch, log: Logged) -> int:
    """The number of the best, by the search's own account."""
    state = search.course.standing.state
    best = search.course.search.method.best(state)
    for island, one in enumerate(state.islands if isinstance(state, Archipelago) else (state,)):
        people = one.population if isinstance(one, Generation) else getattr(one, "elite", None)
        if people is not None:
            same = (people.errors[:, 0] == best.error) & (people.sizes == best.size)
            if same.any():
                return log.number_of(island, int(people.numbers[same.argmax()]))
        elif isinstance(one, Parent) and (one.error, one.gates) == (best.error, best.size):
            return log.number_of(island, -1)
    return min(log.told, key=lambda one: (log.told[one], one))


def _named(method: Any) -> str:
    """A method in words."""
    return f"islands of {type(method.method).__name__}" if isinstance(method, Islands) else type(method).__name__


def _counted(line: Line) -> Step:
    """A step of what is no netlist: its changes are counted, and not told apart."""
    changes, drifted = _differing(line.parent, line.genes), _differing(line.before, line.parent)
    return Step(line.number, line.error, 0, (), changes, (), drifted, line.ancestors)


def _explained(line: Line, space: Netlists, fitness: Any) -> Step:
    own = _error(fitness, line.genes[None], space)[0]
    gates = int(Rows(line.genes[None], space).sizes()[0])
    made = _needed(line.parent, line.genes, space, fitness, (own, gates))
    since = _needed(line.before, line.parent, space, fitness, (own, gates), line.genes)
    return Step(line.number, line.error, gates, made, _differing(line.parent, line.genes), since,
                _differing(line.before, line.parent), line.ancestors)  # fmt: skip


def _needed(
    old: Genes | None, new: Genes | None, space: Netlists, fitness: Any, own: tuple[float, int],
    of: Genes | None = None,
) -> tuple[str, ...]:  # fmt: skip
    """The changes from old to new without which `of`, by default the new, is worse, in words."""
    if old is None or new is None:
        return ()
    whole = new if of is None else of
    places = [int(at) for at in np.flatnonzero(old != new) if whole[at] == new[at]][:MOST_TRIED]
    if not places:
        return ()
    without = np.repeat(whole[None], len(places), 0)
    without[np.arange(len(places)), places] = old[places]
    errors, gates = _error(fitness, without, space), Rows(without, space).sizes()
    worse = [(error, size) > own if own[0] == 0 else error > own[0] for error, size in zip(errors, gates, strict=True)]
    return tuple(
        change_said(space, len(whole), at, int(old[at]), int(new[at])) for at, needed in zip(places, worse, strict=True)
        if needed
    )  # fmt: skip


def _error(fitness: Any, genes: Genes, space: Netlists) -> Sequence[float]:
    errors = np.asarray(fitness.errors(Rows(genes, space)), np.float64)
    found: list[float] = errors.reshape(len(genes), -1)[:, 0].tolist()
    return found


def _differing(one: Genes | None, other: Genes | None) -> int:
    return 0 if one is None or other is None else int((one != other).sum())
