"""The dials of a search: of its method, its genome, its fitness, and its budget. To turn one is to make another search.

A dial is a field, and its value what the record takes that has it; whatever that refuses is refused here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ontogeny.evolve.fitness.recipe import Recipe
from ontogeny.evolve.recording.kinds import FITNESSES
from ontogeny.evolve.search import Search
from ontogeny.isa.errors import OntogenyError, SearchError

BUDGET = ("evaluations", "prune")
METHOD, FITNESS, SEARCH = "method", "fitness", "search"
WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
HELD = ("genome", "method")
"""The fields by which a method holds a genome, or islands a method."""


@dataclass(frozen=True)
class Dial:
    """Where a dial belongs, its value, and the fields that lead from the method to what has it."""

    of: str
    value: Any
    path: tuple[str, ...] = ()


def dials(search: Search[Any, Any]) -> dict[str, Dial]:
    """All dials by name. Where a method and its genome have one of the same name, the method's is meant."""
    recipe = getattr(search.fitness, "recipe", None)
    found = {name: Dial(SEARCH, getattr(search, name)) for name in BUDGET}
    if isinstance(recipe, Recipe):
        found |= _of_recipe(recipe, ())
    return found | _of_record(search.method, ())


def _of_recipe(recipe: Recipe, path: tuple[str, ...]) -> dict[str, Dial]:
    """The dials of a fitness, and of those that it is made of: by their names alone where no outer one has that.

    Otherwise by where they stand: `fitness.weights`, or `others.0.seconds` of the first of several.
    """
    found = {name: Dial(FITNESS, recipe.arguments[name], path) for name in recipe.dials}
    for where, one in _inner(recipe):
        for name, dial in _of_recipe(one, (*path, where)).items():
            found[f"{where}.{name}" if name in found else name] = dial
    return found


def _inner(recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    """The recipes of what a fitness is made of, and where they stand."""
    for name, given in recipe.arguments.items():
        several = isinstance(given, list | tuple)
        for place, one in enumerate(given if several else [given]):
            if isinstance(inner := getattr(one, "recipe", None), Recipe):
                yield f"{name}.{place}" if several else name, inner


def _of_record(record: Any, path: tuple[str, ...]) -> dict[str, Dial]:
    """The dials of a method or genome, and before them those of what it holds."""
    found: dict[str, Dial] = {}
    for name in HELD:
        if (held := getattr(record, name, None)) is not None:
            found |= _of_record(held, (*path, name))
    return found | {name: Dial(METHOD, getattr(record, name), path) for name in record.DIALS}


def turned(search: Search[Any, Any], name: str, value: Any) -> tuple[Search[Any, Any], str]:
    """The search with a dial turned, and of what it was. Raises SearchError for a dial or value that it has not."""
    dial = found(search, name)
    value = fitting(name, value, dial.value)
    try:
        return _with(search, dial, name, value), dial.of
    except OntogenyError:
        raise
    except (TypeError, ValueError) as error:
        raise SearchError(f"{name} cannot be {value!r}: {error}") from error


def found(search: Search[Any, Any], name: str) -> Dial:
    """A dial by its name. Raises SearchError with those that there are."""
    there = dials(search)
    if name not in there:
        raise SearchError(f"there is no dial {name!r}; this search has {', '.join(there)}")
    return there[name]


def read(text: str) -> Any:
    """A value as a person writes it: a number, a word, or several with commas between."""
    if "," in text:
        return tuple(read(part) for part in text.split(",") if part)
    for kind in (int, float):
        try:
            return kind(text.replace("_", ""))
        except ValueError:
            continue
    return text


def _with(search: Search[Any, Any], dial: Dial, name: str, value: Any) -> Search[Any, Any]:
    if dial.of == SEARCH:
        return replace(search, **{name: value})
    if dial.of == METHOD:
        return replace(search, method=_replaced(search.method, (*dial.path, name), value))
    recipe: Recipe = getattr(search.fitness, "recipe")  # noqa: B009
    return replace(search, fitness=_remade(recipe, dial.path, name.rpartition(".")[2], value))


def _remade(recipe: Recipe, path: tuple[str, ...], name: str, value: Any) -> Any:
    """The fitness with a dial turned of what the path leads to."""
    if path:
        where, _, place = path[0].partition(".")
        given = recipe.arguments[where]
        one = _remade((given[int(place)] if place else given).recipe, path[1:], name, value)
        recipe = recipe.turned(where, [*given[: int(place)], one, *given[int(place) + 1 :]] if place else one)
    else:
        recipe = recipe.turned(name, value)
    return FITNESSES[recipe.name](**recipe.arguments)


def _replaced(record: Any, path: tuple[str, ...], value: Any) -> Any:
    """The record with what the path leads to replaced."""
    name, *rest = path
    return replace(record, **{name: _replaced(getattr(record, name), tuple(rest), value) if rest else value})


def fitting(name: str, value: Any, present: Any) -> Any:
    """The value as what the present one is, where that is a number. Raises SearchError where it cannot be."""
    value = tuple(value) if isinstance(value, list) else value
    if isinstance(present, bool):
        if str(value).lower() not in WORDS:
            raise SearchError(f"{name} cannot be {value!r}; it is true or false, now {present}")
        return WORDS[str(value).lower()]
    plain = isinstance(present, int | float) and not isinstance(present, bool)
    if plain and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise SearchError(f"{name} cannot be {value!r}; it is a number, now {present:g}")
    if isinstance(present, int) and isinstance(value, float):
        if not value.is_integer():
            raise SearchError(f"{name} cannot be {value:g}; it is a whole number, now {present}")
        return int(value)
    if isinstance(present, float) and isinstance(value, int):
        return float(value)
    if isinstance(present, tuple) and isinstance(value, int | float):
        return (value,)
    return value


def said(value: Any) -> str:
    """A value as `read` reads it."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def values(search: Search[Any, Any]) -> Mapping[str, Any]:
    """All dials with their values."""
    return {name: dial.value for name, dial in dials(search).items()}
