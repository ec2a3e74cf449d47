"""What kind of thing a search is after: netlists of so many inputs and outputs, vectors of so many numbers.

A fitness says which space it judges, and a method begins there. A further kind is a frozen dataclass beside these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from ontogeny.isa.errors import SearchError


@dataclass(frozen=True, slots=True)
class Space:
    """What candidates have in common."""


@dataclass(frozen=True, slots=True)
class Netlists(Space):
    """Gate networks; clocked where there are registers, whose next values are then searched for like outputs."""

    inputs: int
    outputs: int
    registers: int = 0

    def __post_init__(self) -> None:
        if self.inputs + self.registers < 1 or self.outputs + self.registers < 1 or min(self.key) < 0:
            raise SearchError(
                f"netlists of {self.inputs} inputs, {self.outputs} outputs and {self.registers} registers; expected 1 "
                "or more of each, no registers where nothing is clocked"
            )

    @property
    def key(self) -> tuple[int, int, int]:
        """The three numbers."""
        return self.inputs, self.outputs, self.registers


@dataclass(frozen=True, slots=True)
class Vectors(Space):
    """Vectors f64[size], such as the weights of a network."""

    size: int

    def __post_init__(self) -> None:
        if self.size < 1:
            raise SearchError(f"vectors of {self.size} numbers; expected 1 or more")


Kind = TypeVar("Kind", bound=Space)


def expected(space: Space, kind: type[Kind], method: str) -> Kind:
    """The space, known to be of a kind. Raises SearchError where a method cannot search such a space."""
    if not isinstance(space, kind):
        raise SearchError(f"{method} searches {kind.__name__.lower()}, and the fitness judges {space}; give another")
    return space
