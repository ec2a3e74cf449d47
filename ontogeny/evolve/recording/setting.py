"""A method from words: its name, and its dials and those of its genome as NAME=VALUE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from ontogeny.evolve.gates.genes import Gates
from ontogeny.evolve.recording.kinds import METHODS
from ontogeny.evolve.recording.turning import fitting, read
from ontogeny.isa.errors import SearchError


def method_of(name: str, words: Mapping[str, str]) -> Any:
    """The method called so, over netlists. Raises SearchError with the methods, or the names that it takes."""
    if name not in METHODS:
        raise SearchError(f"there is no method {name!r}; there are {', '.join(METHODS)}")
    if name == "islands":
        raise SearchError("islands are of another method: name that one, and say how many by --islands")
    kind, genome = METHODS[name], {}
    own = _defaults(kind)
    if "genome" in own:
        genome, own = _defaults(Gates), {key: value for key, value in own.items() if key != "genome"}
    if unknown := [word for word in words if word not in own and word not in genome]:
        raise SearchError(f"{name} takes no {unknown[0]!r}; it takes {', '.join([*own, *genome])}")
    given = {key: fitting(key, read(words[key]), own[key]) for key in own if key in words}
    if genome:
        of_genome = {key: fitting(key, read(words[key]), genome[key]) for key in genome if key in words}
        return kind(Gates(**of_genome), **given)
    return kind(**given)


def _defaults(kind: type[Any]) -> dict[str, Any]:
    return {field.name: None if field.default is MISSING else field.default for field in fields(kind) if field.init}
