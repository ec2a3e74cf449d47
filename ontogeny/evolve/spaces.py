"""What kind of thing a search is after: netlists of so many inputs and outputs, vectors of so many numbers.

A fitness says which space it judges, and a method begins there. A further kind is a frozen dataclass beside these.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
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
        if self.sources < 1 or self.outputs + self.registers < 1 or min(self.key) < 0:
            raise SearchError(
                f"netlists of {self.inputs} inputs, {self.outputs} outputs and {self.registers} registers; expected 1 "
                "or more of each, no registers where nothing is clocked"
            )

    @property
    def sources(self) -> int:
        """Inputs and registers: the wires that no gate drives."""
        return self.inputs + self.registers

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


@dataclass(frozen=True, slots=True)
class Bounded(Vectors):
    """Vectors whose numbers lie between bounds, and where a search of them begins; one number stands for all alike.

    No `low` or `high` means no bound there; without a `start` it is the middle of the bounds, or zero. What a method
    draws outside is put onto the bound.
    """

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        Vectors.__post_init__(self)
        for name in ("low", "high", "start"):
            numbers = tuple(map(float, getattr(self, name)))
            if len(numbers) not in (0, 1, self.size) or not all(map(isfinite, numbers)):
                raise SearchError(f"{name} {numbers}; expected one number, or {self.size}, each finite")
            object.__setattr__(self, name, numbers)
        wrong = [place for place in range(self.size) if not self.at("low", place) < self.at("high", place)]
        if wrong:
            low, high = (self.at(name, wrong[0]) for name in ("low", "high"))
            raise SearchError(f"number {wrong[0]} lies from {low:g} to {high:g}; expected a low below its high")
        out = [place for place in range(self.size) if self.start
               and not self.at("low", place) <= self.at("start", place) <= self.at("high", place)]  # fmt: skip
        if out:
            raise SearchError(f"the start {self.at('start', out[0]):g} of number {out[0]} is outside its bounds")

    def at(self, name: str, place: int) -> float:
        """The low, high or start of one number."""
        given: tuple[float, ...] = getattr(self, name)
        if given:
            return given[place % len(given)]
        if name != "start":
            return -inf if name == "low" else inf
        low, high = self.at("low", place), self.at("high", place)
        return (low + high) / 2 if isfinite(low + high) else min(max(0.0, low), high)


Kind = TypeVar("Kind", bound=Space)


def expected(space: Space, kind: type[Kind], method: str) -> Kind:
    """The space, known to be of a kind. Raises SearchError where a method cannot search such a space."""
    if not isinstance(space, kind):
        raise SearchError(f"{method} searches {kind.__name__.lower()}, and the fitness judges {space}; give another")
    return space
