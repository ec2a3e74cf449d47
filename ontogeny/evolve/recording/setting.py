"""A method from words: its name, and its dials and those of its genome as NAME=VALUE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from ontogeny.evolve.gates.genes import Gates
from ontogeny.evolve.methods.cma_es import INSTALLED
from ontogeny.evolve.recording.kinds import METHODS
from ontogeny.evolve.recording.turning import fitting, read
from ontogeny.evolve.spaces import Space, Vectors
from ontogeny.evolve.weights.candidates import Weights
from ontogeny.evolve.weights.genes import Reals
from ontogeny.isa.errors import SearchError

OF_VECTORS = ("cma-es", "openai-es", "low-rank-es")
"""What searches vectors alone."""
MOST_ADAPTED = 300
"""Numbers up to which a matrix of covariance is worth its work."""
APART = ("tape-ageing", "islands")
"""What the shell offers for neither vectors nor circuits."""


def method_of(name: str, words: Mapping[str, str], space: Space) -> Any:
    """The method called so over a space, one that suits it where no name is given.

    Raises SearchError with the methods, or the names that it takes.
    """
    of_vectors = isinstance(space, Vectors)
    over: type[Any] = Reals if of_vectors else Gates
    name = name or _suiting(space)
    if name == "islands":
        raise SearchError("islands are of another method: name that one, and say how many by --islands")
    if name not in (offered := methods_of(space)):
        what = "vectors" if of_vectors else "circuits"
        told = f"{name} does not search {what}" if name in METHODS else f"there is no method {name!r}"
        raise SearchError(f"{told}; for {what} there are {', '.join(offered)}")
    kind, genome = METHODS[name], {}
    own = _defaults(kind)
    if "genome" in own:
        genome, own = _defaults(over), {key: value for key, value in own.items() if key != "genome"}
    if unknown := [word for word in words if word not in own and word not in genome]:
        raise SearchError(f"{name} takes no {unknown[0]!r}; it takes {', '.join([*own, *genome])}")
    given = {key: fitting(key, read(words[key]), own[key]) for key in own if key in words}
    if genome:
        of_genome = {key: fitting(key, read(words[key]), genome[key]) for key in genome if key in words}
        return kind(over(**of_genome), **given)
    return kind(**given)


def methods_of(space: Space) -> list[str]:
    """The names of the methods that the shell offers for a space."""
    if isinstance(space, Vectors):
        return [
            *OF_VECTORS,
            *(name for name, kind in METHODS.items() if "genome" in _defaults(kind) and name not in APART),
        ]
    return [name for name in METHODS if name not in (*OF_VECTORS, *APART)]


def _suiting(space: Space) -> str:
    """The method of a space where none is named: of vectors the library's, not for as many numbers as networks have."""
    if isinstance(space, Weights):
        return "low-rank-es"
    if isinstance(space, Vectors):
        return "cma-es" if INSTALLED and space.size <= MOST_ADAPTED else "openai-es"
    return "cgp"


def _defaults(kind: type[Any]) -> dict[str, Any]:
    return {field.name: None if field.default is MISSING else field.default for field in fields(kind) if field.init}
