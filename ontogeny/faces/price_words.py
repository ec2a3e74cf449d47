"""A price in tables: rows of text that the terminal and the page of documentation both show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ontogeny.ask.hardware import machine_named, with_accelerators
from ontogeny.ask.price.estimate import Assumption
from ontogeny.ask.price.learner import Step
from ontogeny.ask.price.operations import Term
from ontogeny.ask.price.predict import Own, Prediction
from ontogeny.ask.price.words import dollars, in_units, operations, time
from ontogeny.faces.terminal import duration

Rows = list[tuple[str, ...]]
TERMS = ("term", "operations", "of all", "how")
MACHINES = ("machine", "accelerator", "bf16", "memory", "dollars", "watts", "sources")
"""Dollars are for an hour of one accelerator, watts are its own with its share of the machine's."""
ASSUMPTIONS = ("assumption", "value", "unit", "source")


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


def machine_rows() -> Rows:
    """A row for each machine of the table that has accelerators."""
    rows: Rows = []
    for machine in map(machine_named, with_accelerators()):
        one = machine.accelerator
        assert one is not None
        each = machine.accelerators
        rows.append((
            machine.name, one.name, in_units(one.peak["bf16"], "FLOP/s"), in_units(one.memory, "B"),
            f"{machine.dollars / each:.2f}", f"{machine.watts / each:,.0f}" if machine.watts else "",
            "; ".join(filter(None, (f"price {machine.source}", one.source, machine.drawn))),
        ))  # fmt: skip
    return rows


def short(seconds: float) -> str:
    """Seconds as `duration` says them, and in microseconds below one of its milliseconds."""
    return duration(seconds) if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"


def here_words(found: Prediction, own: Own) -> str:
    """What steps take on this machine, and where it is given what it draws and costs, their energy and money."""
    most = ", ".join(f"{name} {seconds / found.seconds:.0%}" for name, seconds in list(found.by_kind.items())[:5])
    energy = f", {in_units(own.watt_hours, 'Wh')} at {own.watts:g} W" if own.watts else ""
    money = f", {dollars(own.dollars)}" if own.dollars else ""
    return (
        f"here, in exact mode on one thread: {short(found.seconds)} of CPU a step ({most}), "
        f"{time(own.hours)} in all{energy}{money}; {found.unknown:.1%} of it by what was not measured."
    )
