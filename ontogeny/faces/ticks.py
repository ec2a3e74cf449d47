"""Round numbers along an axis, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ontogeny.ask.scale import LINEAR, LOG, Scale

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NARROW = 1.3
"""Decades that a logarithmic axis must span to be marked in powers of ten."""
FEW_DECADES = 2.0
"""Decades below which it is also marked at twice and five times these."""


def round_numbers(low: float, high: float, about: int) -> list[float]:
    """Round numbers from low to high, about as many as asked for."""
    rough = (high - low) / max(1, about)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = min((unit * factor for factor in (1, 2, 2.5, 5, 10)), key=lambda one: abs(math.log(one / rough)))
    return [round(n * step, 12) for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def step_marks(low: float, high: float, about: int) -> list[tuple[float, str]]:
    """Steps, whole where there is room for it."""
    found = round_numbers(low, high, about)
    if high - low >= 1:
        found = [one for one in found if one == int(one)]
    return [(one, f"{one:,.10g}") for one in found]


def marks(scale: Scale, low: float, high: float, about: int) -> list[tuple[float, str]]:
    """Values to mark on an axis, and their words: about so many round ones, or up to twice as many powers of ten."""
    narrow = scale.kind == LOG and math.log10(high / low) < NARROW
    if scale.kind == LINEAR or narrow:
        return [(one, plain(one)) for one in round_numbers(low, high, about)]
    first, last = (float(one) for one in scale.forward([low, high]))
    room, found = (last - first) / (2 * about), dict[float, float]()
    between = scale.kind == LOG and math.log10(high / low) < FEW_DECADES
    for value in (*_decades(scale, low, high), *(_between(low, high) if between else ())):
        place = float(scale.forward(value))
        if all(abs(place - other) >= room for other in found.values()):
            found[value] = place
    return [(value, power(value)) for value in sorted(found)]


def _decades(scale: Scale, low: float, high: float) -> Iterator[float]:
    """Zero, then powers of ten from the largest down."""
    if low <= 0 <= high:
        yield 0.0
    least = low if scale.kind == LOG else scale.unit
    most = max(abs(low), abs(high))
    for exponent in range(math.floor(math.log10(most)), math.ceil(math.log10(least) - 1e-9) - 1, -1):
        yield from (one for one in (10.0**exponent, -(10.0**exponent)) if low <= one <= high)


def _between(low: float, high: float) -> Iterator[float]:
    """Twice and five times the powers of ten, those twice first."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    for factor in (2, 5):
        yield from (one for e in exponents if low <= (one := float(f"{factor}e{e}")) <= high)


def plain(value: float) -> str:
    """A number with a true minus."""
    return f"{value:.6g}".replace("-", "−")


def power(value: float) -> str:
    """A power of ten, by its exponent where it is far from one."""
    if value == 0 or 1e-3 <= abs(value) <= 1e4:
        return plain(value)
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    factor = round(abs(value) / 10.0**exponent)
    return f"{'−' if value < 0 else ''}{f'{factor}·' if factor > 1 else ''}10{str(exponent).translate(SUPERSCRIPT)}"


def count(value: float) -> str:
    """How many elements: thousands apart, and fractions short."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"
