"""A search gone through once more by asking and telling, so that who came from whom and what each was made of is noted.

Of islands every one has its own numbering, and guests are told by where they were judged: here all of them are told by
the number that they have in the whole search. An epoch that was compiled is gone through island by island, exactly as
far as the compiled way went. A parent of CGP's has no number in its state, so it is found by its genes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ontogeny.evolve.genome import Genes
from ontogeny.evolve.method import Asked, Errors
from ontogeny.evolve.methods.cgp import Parent
from ontogeny.evolve.methods.islands import Archipelago, Asks, Islands, home
from ontogeny.evolve.recording.course import Witnessed
from ontogeny.evolve.search import LEG, Standing


@dataclass(frozen=True, eq=False)
class Logged(Witnessed):
    """A search that tells who came from whom, and the genes of those that are wanted."""

    parents: dict[int, tuple[int, ...]] = field(default_factory=dict)
    told: dict[int, float] = field(default_factory=dict)
    genes: dict[int, Genes] = field(default_factory=dict)
    wanted: frozenset[int] = frozenset()

    def _leg(self, state: Any, most: int, until: bool) -> Any:
        """None: a compiled leg tells nobody's parents, and goes where asking and telling go."""
        return None

    def judged(self, asked: Asked[Any], first: int = 0) -> Errors:
        """The errors of a generation, logged."""
        errors = super().judged(asked, first)
        parents = None if asked.parents is None else [tuple(p for p in row if p >= 0) for row in asked.parents.tolist()]
        self.log(asked, errors, first, parents)
        return errors

    def log(self, asked: Asked[Any], errors: Errors, first: int, parents: list[tuple[int, ...]] | None) -> None:
        """Notes a generation whose first has the number `first`."""
        for place, error in enumerate(errors.reshape(len(errors), -1)[:, 0].tolist()):
            if parents is not None:
                self.parents[first + place] = parents[place]
            self.told[first + place] = error
            if first + place in self.wanted:
                self.genes[first + place] = np.array(asked.genes[place])

    def number_of(self, island: int, number: int) -> int:
        """The number in the whole search of one that is told by a number in a state."""
        return number


@dataclass(frozen=True, eq=False)
class LoggedIslands(Logged):
    """`known[island][n]` is the number in the whole search of that island's n-th; `carried` that of its parent of CGP.

    `asked` holds the last generation of all islands together, with its errors and the number of its first.
    """

    known: dict[int, list[int]] = field(default_factory=dict)
    carried: dict[int, int] = field(default_factory=dict)
    asked: list[tuple[Asks[Any], Errors, int]] = field(default_factory=list)

    @property
    def islands(self) -> Islands[Any, Any]:
        """The method."""
        assert isinstance(self.method, Islands)
        return self.method

    def number_of(self, island: int, number: int) -> int:
        """The number in the whole search of one that is told by a number on an island; -1 for nobody."""
        if number < 0:
            return self.carried.get(island, -1)
        of, local = home(number, island)
        return self.known[of][local]

    def further(self, standing: Standing[Any], most: int = LEG) -> Standing[Any]:
        """As far as the search itself goes."""
        self.asked.clear()
        after = super().further(standing, most)
        for asked, errors, first in self.asked:
            cuts = np.cumsum([0, *(len(part.candidates) for part in asked.parts)]).tolist()
            told = [
                self._told(at, island, part, errors[cuts[at] : cuts[at + 1]], first + cuts[at])
                for at, (island, part) in enumerate(zip(standing.state.islands, asked.parts, strict=True))
            ]
            self._arrived(told, after.state)
        return after

    def judged(self, asked: Asked[Any], first: int = 0) -> Errors:
        """The errors of a generation of all islands, noted once it is known where it led."""
        errors = super(Logged, self).judged(asked, first)
        assert isinstance(asked, Asks)
        self.asked.append((asked, errors, first))
        return errors

    def _leg(self, state: Archipelago[Any], most: int, until: bool) -> Any:
        """An epoch as it went, and each island of it once more by asking and telling."""
        gone = super(Logged, self)._leg(state, most, until)
        if gone is None:
            return None
        first, ended = state.evaluations, []
        for at, (island, after) in enumerate(zip(state.islands, gone.islands, strict=True)):
            while island.evaluations < after.evaluations:
                asked = self.islands.method.ask(island)
                errors = np.asarray(self.fitness.errors(asked.candidates), np.float64)
                island = self._told(at, island, asked, errors, first)
                first += len(errors)
            ended.append(island)
        self._arrived(ended, gone)
        return gone

    def _told(self, at: int, state: Any, asked: Asked[Any], errors: Errors, first: int) -> Any:
        """An island after a generation, which is noted."""
        own = self.known.setdefault(at, [])
        if asked.parents is not None:
            parents: Any = [tuple(self.number_of(at, p) for p in row if p >= 0) for row in asked.parents.tolist()]
        else:
            parents = [(self.carried[at],) if at in self.carried else ()] * len(errors)
        self.log(asked, errors, first, parents if asked.parents is not None or isinstance(state, Parent) else None)
        own += range(first, first + len(errors))
        after = self.islands.method.tell(state, asked, errors, self.goal)
        if isinstance(after, Parent):
            same = np.flatnonzero((asked.genes == after.genes).all(axis=1))
            if len(same):
                self.carried[at] = first + int(same[-1])
        return after

    def _arrived(self, ended: Sequence[Any], after: Archipelago[Any]) -> None:
        """The parents of CGP once guests have come."""
        before = dict(self.carried)
        for at, (own, now) in enumerate(zip(ended, after.islands, strict=True)):
            if isinstance(now, Parent) and (own.error, own.gates, own.genes.tobytes()) != (
                now.error, now.gates, now.genes.tobytes()
            ):  # fmt: skip
                self.carried[at] = before[(at - 1) % len(ended)]
