"""Results kept by behaviour: netlists that do the same on every case have the same error, so one of them is judged.

That is so where a fitness depends on the outputs alone, which only whoever writes it can say, by wrapping it. What is
kept is forgotten, the oldest first, beyond `MOST`; no error depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ontogeny.evolve.fitness.recipe import Recipe, made_by
from ontogeny.evolve.fitness.tables import Fitness, closed, outside, reasons
from ontogeny.evolve.spaces import Netlists
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, Words, cases
from ontogeny.machine.swarm import swarm

MOST = 200_000
MOST_SOURCES = 14


@dataclass(eq=False)
class ByBehaviour:
    """A fitness asked once for each behaviour; `asked` counts the candidates that it was asked for."""

    fitness: Fitness[Netlist]
    words: Words
    known: dict[bytes, Any] = field(default_factory=dict, repr=False)
    asked: int = 0
    recipe: Recipe | None = field(default=None, repr=False)
    outside: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    why: dict[bytes, str] = field(default_factory=dict, repr=False)

    @property
    def space(self) -> Netlists:
        """That of the fitness."""
        assert isinstance(self.fitness.space, Netlists)
        return self.fitness.space

    @property
    def objectives(self) -> tuple[str, ...]:
        """Those of the fitness."""
        return self.fitness.objectives

    @property
    def failures(self) -> Sequence[str]:
        """What the fitness told."""
        return self.fitness.failures

    def errors(self, nets: Sequence[Netlist], /) -> list[Any]:
        """The errors; of what failed by the clock none is kept."""
        keys = [found.tobytes() for found in swarm(list(nets), threads=1).outputs(self.words)]
        first = {key: place for place, key in reversed(list(enumerate(keys))) if key not in self.known}
        places = sorted(first.values())
        fresh = np.asarray(self.fitness.errors([nets[place] for place in places])) if places else np.zeros(0)
        late = outside(self.fitness) if places else {}
        self.why |= {keys[places[at]]: why for at, why in (reasons(self.fitness) if places else {}).items()}
        self.reasons = {place: self.why[key] for place, key in enumerate(keys) if key in self.why}
        self.asked += len(places)
        found = {keys[place]: error for place, error in zip(places, fresh.tolist(), strict=True)}
        self.outside = {place: late[places.index(first[key])] for place, key in enumerate(keys)
                        if key in first and places.index(first[key]) in late}  # fmt: skip
        errors: list[Any] = [found[key] if key in found else self.known[key] for key in keys]
        self.known |= {key: error for at, (key, error) in enumerate(found.items()) if at not in late}
        for key in list(self.known)[: max(0, len(self.known) - MOST)]:
            del self.known[key]
            self.why.pop(key, None)
        return errors

    def close(self) -> None:
        """Ends the fitness's process, if it has one."""
        closed(self.fitness)


@made_by("by_behaviour")
def by_behaviour(fitness: Fitness[Netlist]) -> ByBehaviour:
    """A fitness that depends on the outputs alone, asked once for each behaviour. SearchError above 14 inputs."""
    space = fitness.space
    if not isinstance(space, Netlists) or space.sources > MOST_SOURCES:
        raise SearchError(f"behaviours of {space}; expected netlists of at most {MOST_SOURCES} inputs and registers")
    return ByBehaviour(fitness, cases(space.sources))
