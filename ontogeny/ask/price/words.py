"""A price in words: numbers with their units as a person reads them, and what it all comes to in a sentence."""

from __future__ import annotations

from ontogeny.ask.price.estimate import YEAR, Price

THOUSANDS = ("", "k", "M", "G", "T", "P", "E")
WORDS = ((1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def operations(number: float) -> str:
    """With three figures, as 1.25e24."""
    return f"{number:.3g}".replace("e+", "e") if abs(number) >= 1e6 or number == 0 else f"{number:,.0f}"


def in_units(number: float, unit: str) -> str:
    """With three figures and a power of a thousand before the unit: 1.28 GWh."""
    power = 0
    while abs(number) >= 999.5 and power < len(THOUSANDS) - 1:
        number, power = number / 1000, power + 1
    return f"{number:.3g} {THOUSANDS[power]}{unit}"


def count(number: float) -> str:
    """How many there are, in words from a million on."""
    for limit, word in WORDS:
        if number >= limit * 0.9995:
            return f"{number / limit:.3g} {word}"
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"


def dollars(number: float) -> str:
    """Money: cents below ten dollars."""
    shown = f"{number:.2g}" if number < 0.01 else f"{number:.2f}" if number < 10 else count(number)
    return f"{shown} dollars"


def time(hours: float) -> str:
    """By the clock: seconds, minutes, hours, days or years."""
    for limit, unit, name in ((YEAR, YEAR, "years"), (72, 24, "days"), (1, 1, "hours"), (1 / 60, 1 / 60, "minutes")):
        if hours >= limit:
            return f"{count(hours / unit)} {name}"
    return f"{hours * 3600:.3g} seconds"


def summary(price: Price, accelerator: str) -> str:
    """What it comes to, in one sentence or two."""
    decides = ", as many as the state of training needs" if price.memory_decides else ""
    return (
        f"{operations(price.operations)} operations: {count(price.accelerator_hours)} hours of {accelerator}, "
        f"{time(price.hours)} on {price.accelerators:,}{decides} ({in_units(price.state, 'B')} of state). "
        f"{dollars(price.dollars)}, {in_units(price.watt_hours, 'Wh')}."
    )
