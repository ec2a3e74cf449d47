"""Numbers of a program that follow one of its sizes, such as the batch: `batch`, `8*batch+1`, `0.5/batch`.

Each is a plain number at the present value of the size, so rules, costs and machines see nothing but numbers;
arithmetic on one gives a number that no longer follows. `isa.resize` makes the same program at another value.
"""

from __future__ import annotations

import math

from ontogeny.isa.errors import ProgramError


class Size(int):
    """A whole number that follows a size: times * n + plus, where the size called `name` is n."""

    name: str
    n: int
    times: int
    plus: int

    def __new__(cls, n: int, name: str, times: int = 1, plus: int = 0) -> Size:
        """Raises ProgramError where `times` is 0, since such a number follows nothing."""
        if not times:
            raise ProgramError(f"0 times a size does not depend on {name!r}; write {plus}")
        size = super().__new__(cls, times * n + plus)
        size.n, size.name, size.times, size.plus = int(n), name, int(times), int(plus)
        return size

    def __getnewargs__(self) -> tuple[int, str, int, int]:  # type: ignore[override]
        return self.n, self.name, self.times, self.plus

    def at(self, n: int) -> Size:
        """The same where the size is `n`."""
        return Size(n, self.name, self.times, self.plus)

    def n_for(self, value: int) -> int | None:
        """The n at which this is `value`, or None where there is no whole one of 1 or more."""
        n, rest = divmod(value - self.plus, self.times)
        return n if not rest and n >= 1 else None


class PerSize(float):
    """A fraction that follows a size: factor / size, or with `divides` false factor * size."""

    factor: float
    size: Size
    divides: bool

    def __new__(cls, factor: float, size: Size, divides: bool = True) -> PerSize:
        """Raises ProgramError for a factor that is not finite, and where the size is 0 and divides."""
        if not math.isfinite(factor) or (divides and not size):
            raise ProgramError(f"{factor} {'/' if divides else '*'} {int(size)} ({size.name!r:.80}) is not a number")
        value = super().__new__(cls, factor / int(size) if divides else factor * int(size))
        value.factor, value.size, value.divides = float(factor), size, bool(divides)
        return value

    def __getnewargs__(self) -> tuple[float, Size, bool]:  # type: ignore[override]
        return self.factor, self.size, self.divides

    def at(self, n: int) -> PerSize:
        """The same where the size is `n`."""
        return PerSize(self.factor, self.size.at(n), self.divides)


Following = Size | PerSize


def following(value: object) -> tuple[Following, ...]:
    """The numbers in an attribute or a shape that follow a size."""
    values = value if isinstance(value, tuple) else (value,)
    return tuple(each for each in values if isinstance(each, Following))
