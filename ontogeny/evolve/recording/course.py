"""The course of a search by its journal: what holds at each evaluation, and the one way to the next generation.

Whoever goes on with a search and whoever replays it goes through `Course`, so that both come to the same bits. An entry
at k holds from the generation that begins after k evaluations. What a fitness does by the clock or by the end of its
process is no function of a seed: it is an entry too, and is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ontogeny.evolve.fitness.tables import closed, outside, reasons
from ontogeny.evolve.method import Asked, Errors
from ontogeny.evolve.recording.tally import Tally
from ontogeny.evolve.recording.turning import FITNESS, METHOD, turned
from ontogeny.evolve.search import LEG, Search, Standing
from ontogeny.isa.errors import RecordError
from ontogeny.record.journal import Entry

DIAL, FAILED = "dial", "failed"
Note = Callable[[Mapping[int, str]], None]


@dataclass(frozen=True, eq=False)
class Witnessed(Search[Any, Any]):
    """A search some of whose candidates are known to have failed, by their numbers; further ones are noted."""

    failed: Mapping[int, str] = field(default_factory=dict)
    note: Note = lambda failed: None
    tally: Tally = field(default_factory=Tally)

    def judged(self, asked: Asked[Any], first: int = 0) -> Errors:
        """The errors of a generation; what failed before is not asked again."""
        known = [place for place in range(len(asked.candidates)) if first + place in self.failed]
        if not known:
            errors = super().judged(asked, first)
            self._noted(first + np.arange(len(errors)), errors)
            return errors
        self.tally.add({first + place: self.failed[first + place] for place in known})
        rest = [place for place in range(len(asked.candidates)) if place not in set(known)]
        width = len(self.fitness.objectives)
        errors = np.full((len(asked.candidates), width) if width > 1 else len(asked.candidates), np.inf)
        if rest:
            errors[rest] = super().judged(replace(asked, candidates=[asked.candidates[place] for place in rest]), first)
            self._noted(first + np.array(rest), errors[rest])
        return errors

    def _noted(self, numbers: Any, errors: Errors) -> None:
        """Counts what failed just now, and tells what did by the clock or the end of a process."""
        why = reasons(self.workers or self.fitness)
        places = np.flatnonzero(~np.isfinite(errors.reshape(len(errors), -1)).all(axis=1)).tolist()
        self.tally.add({int(numbers[place]): why.get(place, "the error is infinite") for place in places})
        if failed := outside(self.workers or self.fitness):
            self.note({int(numbers[place]): why for place, why in failed.items()})


class Course:
    """A search on its way: what holds now, where it stands, and how many entries were heeded.

    `arrived` is where the last generation left it, before any entry was heeded there: what may be kept.
    """

    def __init__(self, search: Witnessed, standing: Standing[Any], entries: Sequence[Entry]) -> None:
        self.search, self.entries = search, entries
        self.standing = self.arrived = standing
        self.heeded = 0
        while self.heeded < len(entries) and entries[self.heeded].at < self.evaluations:
            self.search, _ = _heeded(self.search, entries[self.heeded])
            self.heeded += 1

    @property
    def evaluations(self) -> int:
        """How many candidates were judged."""
        return int(self.standing.state.evaluations)

    def heed(self) -> None:
        """What the journal says of the next generation holds now."""
        while self.heeded < len(self.entries) and self.entries[self.heeded].at <= self.evaluations:
            before = self.search.fitness
            self.search, of = _heeded(self.search, self.entries[self.heeded])
            if self.search.fitness is not before:
                closed(before)
            self.standing = _after(self.search, self.standing, of)
            self.heeded += 1

    def close(self) -> None:
        """Ends the process of the fitness, if it has one; the next question makes another."""
        closed(self.search.fitness)

    @property
    def over(self) -> bool:
        """Whether the budget is spent."""
        return self.search.over(self.standing)

    def further(self, most: int = LEG) -> None:
        """A generation or a leg, no further than to the next entry."""
        self.heed()
        coming = self.entries[self.heeded].at - self.evaluations if self.heeded < len(self.entries) else most
        self.standing = self.arrived = self.search.further(self.standing, min(most, coming))

    def to(self, evaluations: int) -> None:
        """On to the end of a generation that is known. Raises RecordError where none ends there."""
        while self.evaluations < evaluations:
            self.further(min(LEG, evaluations - self.evaluations))
        if self.evaluations != evaluations:
            raise RecordError(f"no generation ends at {evaluations} evaluations; the nearest one at {self.evaluations}")


def _heeded(search: Witnessed, entry: Entry) -> tuple[Witnessed, str]:
    if entry.kind != DIAL:
        return search, ""
    value = entry["value"]
    found, of = turned(search, entry["dial"], tuple(value) if isinstance(value, list) else value)
    assert isinstance(found, Witnessed)
    return found, of


def _after(search: Witnessed, standing: Standing[Any], of: str) -> Standing[Any]:
    """Where a search stands after a turn: by another fitness nothing is judged, and nothing solved."""
    if of == FITNESS:
        return Standing(search.method.doubted(standing.state))
    if of == METHOD:
        return replace(standing, state=search.method.turned(standing.state))
    return standing
