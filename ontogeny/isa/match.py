"""One routine out of two that were made alike at two sizes: numbers that differ between them follow the size.

Whole numbers are affine in it, fractions a factor over it or times it. Two points cannot tell a line from a curve, so
what is not plainly a multiple is `doubtful`, and whoever matches should hold the result to a third size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.program import Attribute, Instr, Number, Routine
from ontogeny.isa.sizes import PerSize, Size, following
from ontogeny.isa.types import Type

NUMERATORS = range(1, 9)


class UnmatchedError(ProgramError):
    """Two routines differ by more than a size; the message says where."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The size called `name` at the two points where routines were made."""

    name: str
    first: int
    second: int

    def routine(self, a: Routine, b: Routine) -> Routine:
        """The routine at the first size, following. Raises UnmatchedError naming instruction and source line."""
        named = [[name for name, _ in routine.params] for routine in (a, b)]
        if len(a.body) != len(b.body) or a.returns != b.returns or named[0] != named[1]:
            raise UnmatchedError(
                f"routine {a.name!r} has {len(a.body)} instructions at {self.name} {self.first} "
                f"and {len(b.body)} at {self.second}"
            )
        body = tuple(self._instr(a.name, *pair) for pair in zip(a.body, b.body, strict=True))
        return replace(a, params=tuple(self.types(dict(a.params), dict(b.params)).items()), body=body)

    def types(self, a: Mapping[str, Type], b: Mapping[str, Type]) -> dict[str, Type]:
        """The types of values by name, following. Raises UnmatchedError."""
        return {name: a[name].with_shape(self.shape(a[name].shape, b[name].shape)) for name in a}

    def shape(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        """One shape of two. Raises UnmatchedError."""
        if len(a) != len(b):
            raise UnmatchedError(f"{a} at {self.name} {self.first} is {b} at {self.second}")
        return tuple(self.whole(*pair) for pair in zip(a, b, strict=True))

    def _instr(self, routine: str, a: Instr, b: Instr) -> Instr:
        alike = (a.op, a.out, a.args) == (b.op, b.out, b.args)
        if alike and repr(a.attrs) == repr(b.attrs):
            return a
        where = f"routine {routine!r}, {a.op.text} ({a.note.where or 'no line of yours'})"
        if not alike or [name for name, _ in a.attrs] != [name for name, _ in b.attrs]:
            raise UnmatchedError(f"{where}: at {self.name} {self.second} it is another instruction, {b.op.text}")
        try:
            attrs = tuple((name, self._attribute(value, b.attr(name))) for name, value in a.attrs)
        except UnmatchedError as error:
            raise UnmatchedError(f"{where}: {error}") from error
        return replace(a, attrs=attrs)

    def _attribute(self, a: Attribute, b: Attribute) -> Attribute:
        if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            return tuple(self._number(*pair) for pair in zip(a, b, strict=True))
        if isinstance(a, int | float) and isinstance(b, int | float):
            return self._number(a, b)
        if a == b:
            return a
        raise self._apart(a, b)

    def _number(self, a: Number, b: Number) -> Number:
        if type(a) is not type(b):
            raise self._apart(a, b)
        if repr(a) == repr(b):
            return a
        if isinstance(a, bool):
            raise self._apart(a, b)
        return self.whole(a, int(b)) if isinstance(a, int) else self._fraction(a, float(b))

    def whole(self, a: int, b: int) -> int:
        """An integer that is `a` at the first size and `b` at the second. Raises UnmatchedError unless affine."""
        if a == b:
            return a
        times, rest = divmod(b - a, self.second - self.first)
        if rest:
            raise self._apart(a, b)
        return Size(self.first, self.name, times, a - times * self.first)

    def _fraction(self, a: float, b: float) -> PerSize:
        quotients = (self._quotient(numerator, a, b) for numerator in NUMERATORS)
        for found in (self._multiple(a), self._line(a, b), *quotients, self._share(a)):
            if found is not None and float(found) == a and float(found.at(self.second)) == b:
                return found
        raise self._apart(a, b)

    def _multiple(self, a: float) -> PerSize:
        """A factor times the size."""
        return PerSize(a / self.first, Size(self.first, self.name), divides=False)

    def _line(self, a: float, b: float) -> PerSize | None:
        """A whole number that is affine in the size."""
        if not a.is_integer() or not b.is_integer():
            return None
        try:
            size = self.whole(int(a), int(b))
        except UnmatchedError:
            return None
        return PerSize(1.0, size, divides=False) if isinstance(size, Size) else None

    def _share(self, a: float) -> PerSize:
        """A factor over the size."""
        return PerSize(a * self.first, Size(self.first, self.name))

    def _quotient(self, numerator: int, a: float, b: float) -> PerSize | None:
        """A small whole number over an affine size: 1/(8n) of a mean, 2/(n-1) of a variance."""
        if not a or not b or max(abs(numerator / a), abs(numerator / b)) > 1 << 53:
            return None
        try:
            size = self.whole(round(numerator / a), round(numerator / b))
        except UnmatchedError:
            return None
        return PerSize(float(numerator), size) if isinstance(size, Size) and size else None

    def _apart(self, a: object, b: object) -> UnmatchedError:
        return UnmatchedError(f"{a!r:.80} at {self.name} {self.first} is {b!r:.80} at {self.second}, which is no line")


def doubtful(routine: Routine) -> bool:
    """Whether something in a matched routine is no plain multiple of the size, so that a third should be tried."""
    numbers = (number for instr in routine.body for _, value in instr.attrs for number in following(value))
    return any((number if isinstance(number, Size) else number.size).plus for number in numbers)
