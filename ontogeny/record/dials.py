"""The course of a dial: a value that holds, or one on its way to another over some steps, as a function of the step.

All is f64. The cosine and the powers are the C library's, so that elsewhere they may differ in their last bit, as the
environment in the journal would say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ontogeny.isa.errors import RecordError

LINEAR, COSINE, EXPONENTIAL = "linear", "cosine", "exponential"
Formula = Callable[[float, float, float], float]

SHAPES: dict[str, Formula] = {
    LINEAR: lambda a, b, t: a + (b - a) * t,
    COSINE: lambda a, b, t: a + (b - a) * (1.0 - math.cos(math.pi * t)) / 2.0,
    EXPONENTIAL: lambda a, b, t: math.copysign(abs(a) ** (1.0 - t) * abs(b) ** t, a),
}
"""The value at the part t of the way, 0 <= t < 1, from a to b. By `exponential` each step multiplies by one factor."""


@dataclass(frozen=True, slots=True)
class Course:
    """A dial that leaves `start` at state `at`, is at `value` from state `at` + `over` on, and stays there."""

    value: float
    start: float = 0.0
    at: int = 0
    over: int = 0
    shape: str = LINEAR

    @property
    def end(self) -> int:
        """The state from which the dial stays."""
        return self.at + self.over

    def __call__(self, step: int) -> float:
        """The value that the step from state `step` goes by."""
        if step >= self.end:
            return self.value
        return SHAPES[self.shape](self.start, self.value, (step - self.at) / self.over)


def course(name: str, value: float, start: float, at: int, over: int, shape: str) -> Course:
    """The way of the dial `name` from `start` to `value`. Raises RecordError for one that cannot be gone."""
    if shape not in SHAPES:
        raise RecordError(f"a dial cannot be turned by shape {shape!r}; there are {', '.join(SHAPES)}")
    if isinstance(over, bool) or not isinstance(over, int) or over < 0:
        raise RecordError(f"dial {name!r} cannot be turned over {over!r} steps; give a whole number, 0 for at once")
    if over and shape == EXPONENTIAL and not start * value > 0:
        raise RecordError(
            f"dial {name!r} cannot go from {start:g} to {value:g} exponentially, since a product of factors never "
            f"reaches or crosses zero; choose linear or cosine"
        )
    return Course(value, start, at, over, shape)
