"""Several objectives: a fitness and further ones beside it, as a front or a map wants them, or weighed into one.

A further one is a fitness of its own, such as `each(function, ...)`, or the name of a measure of netlists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.fitness.recipe import Recipe, made_by
from ontogeny.evolve.fitness.tables import Fitness, closed, outside, reasons
from ontogeny.evolve.gates.rows import Rows
from ontogeny.evolve.spaces import Space
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, depth

Measure = Callable[[Sequence[Any]], Any]


def _gates(nets: Sequence[Netlist]) -> Any:
    return nets.sizes() if isinstance(nets, Rows) else [net.gates for net in nets]


def _depth(nets: Sequence[Netlist]) -> Any:
    return nets.depths() if isinstance(nets, Rows) else [depth(net) for net in nets]


MEASURES: dict[str, Measure] = {"gates": _gates, "depth": _depth}
"""What a netlist can be measured by, beside an error: its gates, and the most gates between an input and an output."""


@dataclass(eq=False)
class Several:
    """A fitness with further objectives; one that failed in any has failed in all."""

    fitness: Fitness[Any]
    others: tuple[str | Fitness[Any], ...]
    weights: tuple[float, ...] = ()
    recipe: Recipe | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.outside: Mapping[int, str] = {}
        self.reasons: Mapping[int, str] = {}
        for other in self.others:
            if isinstance(other, str) and other not in MEASURES:
                raise SearchError(f"no measure {other!r}; there are {', '.join(MEASURES)}, or give a fitness")
            if not isinstance(other, str) and other.space != self.fitness.space:
                raise SearchError(f"objectives of {self.fitness.space} and {other.space}; expected the same")
        if any(hasattr(one, "at") for one in (self.fitness, *self.others)):
            raise SearchError("one of several objectives is judged on batches; give the whole network, or it alone")
        if not all(map(math.isfinite, self.weights)):
            raise SearchError(f"weights {self.weights}; expected finite numbers")
        if self.weights and len(self.weights) != len(self.names):
            raise SearchError(f"{len(self.weights)} weights for {len(self.names)} objectives; expected as many")

    @property
    def space(self) -> Space:
        """That of all of them."""
        return self.fitness.space

    @property
    def names(self) -> tuple[str, ...]:
        """What is measured, each by a name of its own; a further function by the function's."""
        found = list(self.fitness.objectives)
        for other in self.others:
            for name in (other,) if isinstance(other, str) else _called(other):
                count = sum(one == name or one.startswith(f"{name} ") for one in found)
                found.append(f"{name} {count + 1}" if count else name)
        return tuple(found)

    @property
    def objectives(self) -> tuple[str, ...]:
        """All of them, or their sum."""
        return ("weighed",) if self.weights else self.names

    @property
    def failures(self) -> Sequence[str]:
        """What was told of the first failures of any."""
        told = [other.failures for other in self.others if not isinstance(other, str)]
        return [*self.fitness.failures, *(failure for one in told for failure in one)]

    def errors(self, candidates: Sequence[Any], /) -> NDArray[np.float64]:
        """f64[n, objectives], or f64[n] where they are weighed."""
        columns, self.outside, self.reasons = [], {}, {}
        for one in (self.fitness, *self.others):
            measured = MEASURES[one](candidates) if isinstance(one, str) else one.errors(candidates)
            columns.append(np.asarray(measured, np.float64).reshape(len(candidates), -1))
            self.outside = {**self.outside, **outside(one)}
            self.reasons = {**reasons(one), **self.reasons}
        errors = np.concatenate(columns, axis=1)
        errors[~np.isfinite(errors).all(axis=1)] = np.inf
        return errors @ np.array(self.weights) if self.weights else errors

    def close(self) -> None:
        """Ends the processes of those that have one."""
        for one in (self.fitness, *self.others):
            closed(one)


def _called(fitness: Fitness[Any]) -> Sequence[str]:
    """The names of a fitness's errors: where it is one Python function, the function's."""
    recipe = getattr(fitness, "recipe", None)
    function = recipe.arguments.get("function") if isinstance(recipe, Recipe) else None
    name: str = getattr(function, "__name__", "")
    return (name,) if name else fitness.objectives


@made_by("several")
def several(fitness: Fitness[Any], others: Sequence[str | Fitness[Any]]) -> Several:
    """An error and further objectives, for Pareto and Elites. Raises SearchError for what does not go together."""
    return Several(fitness, tuple(others))


@made_by("weighed", "weights")
def weighed(fitness: Fitness[Any], others: Sequence[str | Fitness[Any]], weights: Sequence[float]) -> Several:
    """Their weighted sum as one error, for any method; the weights can be turned."""
    return Several(fitness, tuple(others), tuple(map(float, weights)))
