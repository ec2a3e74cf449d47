"""A price in tables: rows of text that the terminal and the page of documentation both show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ontogeny.ask.price.estimate import YEAR, Assumption, Price
from ontogeny.ask.price.learner import Step
from ontogeny.ask.price.operations import Term
from ontogeny.ask.price.predict import Prediction
from ontogeny.faces.terminal import duration

Rows = list[tuple[str, ...]]
TERMS = ("term", "operations", "of all", "how")
ASSUMPTIONS = ("assumption", "value", "unit", "source")
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


def term_rows(terms: Sequence[Term]) -> Rows:
    """A row for each term of a count, and their sum."""
    total = sum(term.operations for term in terms)
    rows: Rows = [(one.name, operations(one.operations), f"{one.operations / total:.1%}", one.formula) for one in terms]
    return [*rows, ("all", operations(total), "100.0%", "")]


def step_rows(step: Step) -> Rows:
    """A row for each figure of a step."""
    return [
        ("products", operations(step.products), "", f"multiply-adds of {step.routine}, two operations each, exactly"),
        ("6ND", operations(step.six), f"{step.over_six:+.1%}", f"6 x {step.parameters:,} parameters x {step.tokens:,} "
         "tokens; the products by it"),
        ("element by element", operations(step.others), "", "everything else, one for each element"),
        ("state", "", "", f"{in_units(step.state, 'B')}: what is kept between calls, and one gradient"),
        ("uses of a parameter", f"{step.uses:.3g}", "", "for one example, forward"),
    ]  # fmt: skip


def assumption_rows(assumptions: Iterable[Assumption]) -> Rows:
    """A row for each assumption."""
    return [(one.name, f"{one.value:.6g}".replace("e+", "e"), one.unit, one.source) for one in assumptions]


def summary(price: Price, accelerator: str) -> str:
    """What it comes to, in one sentence or two."""
    decides = ", as many as the state of training needs" if price.memory_decides else ""
    return (
        f"{operations(price.operations)} operations: {count(price.accelerator_hours)} hours of {accelerator}, "
        f"{time(price.hours)} on {price.accelerators:,}{decides} ({in_units(price.state, 'B')} of state). "
        f"{dollars(price.dollars)}, {in_units(price.watt_hours, 'Wh')}."
    )


def here_words(found: Prediction, steps: int) -> str:
    """What a step takes on this machine."""
    most = ", ".join(f"{name} {seconds / found.seconds:.0%}" for name, seconds in list(found.by_kind.items())[:5])
    return (
        f"here, in exact mode on one thread: {duration(found.seconds)} of CPU a step ({most}), "
        f"{time(found.seconds * steps / 3600)} in all; {found.unknown:.1%} of it by what was not measured."
    )
