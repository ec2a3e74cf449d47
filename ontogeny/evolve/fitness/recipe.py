"""How a fitness was made: by which maker, from what. By this it is written down, made again elsewhere, and turned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from ontogeny.isa.errors import SearchError

Given = ParamSpec("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Recipe:
    """The name of a maker in `kinds.py`, what it was given by name, and which of that may be turned."""

    name: str
    arguments: Mapping[str, Any]
    dials: tuple[str, ...] = ()

    def turned(self, dial: str, value: Any) -> Recipe:
        """The same with something else given."""
        return replace(self, arguments={**self.arguments, dial: value})


def made_by(name: str, *dials: str) -> Callable[[Callable[Given, Made]], Callable[Given, Made]]:
    """Of a function that makes a fitness: what it makes remembers how. `dials` are what may be turned of it."""

    def remembering(maker: Callable[Given, Made]) -> Callable[Given, Made]:
        @wraps(maker)
        def making(*given: Given.args, **named: Given.kwargs) -> Made:
            made = maker(*given, **named)
            bound = signature(maker).bind(*given, **named)
            bound.apply_defaults()
            object.__setattr__(made, "recipe", Recipe(name, dict(bound.arguments), dials))  # of a frozen one, too
            return made

        return making

    return remembering


def recipe_of(fitness: Any) -> Recipe:
    """How a fitness was made. Raises SearchError where nobody knows."""
    recipe = getattr(fitness, "recipe", None)
    if not isinstance(recipe, Recipe):
        raise SearchError(
            f"a {type(fitness).__name__} does not know how it was made, so it cannot be written down; make it by "
            "equals, each, batch or another maker of fitness"
        )
    return recipe
