"""A plan of capacity in tables: rows of text that the terminal and the page of documentation both show."""

from __future__ import annotations

from collections.abc import Sequence

from ontogeny.ask.calibration import Calibration
from ontogeny.ask.hardware import MACHINES
from ontogeny.ask.provision import ASSUMED, STORES, Interval, Plan

Rows = list[tuple[str, ...]]
STAGES = ("stage", "core hours", "read", "written", "machines", "hours", "limited by", "dollars")
RATES = ("what", "a quarter below", "middle", "a quarter above", "unit", "growth")
MACHINE = ("machine", "cores", "memory", "disks", "read/s", "write/s", "dollars/hour", "price")
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def amount(number: float) -> str:
    """Bytes with three figures, in powers of a thousand."""
    power = 0
    while number >= 999.5 and power < len(UNITS) - 1:
        number, power = number / 1000, power + 1
    return f"{three(number)} {UNITS[power]}"


def count(number: float) -> str:
    """How many there are: billions in words."""
    return f"{number / 1e9:g} billion" if number >= 1e9 else f"{number:,.0f}"


def three(number: float) -> str:
    """A number with three figures."""
    if number >= 1e7:
        return f"{number:.3g}"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def between(found: Interval) -> str:
    """The middle, and the quartiles where they differ from it."""
    low, mid, high = (three(one) for one in (found.low, found.mid, found.high))
    return mid if low == high else f"{mid} ({low} to {high})"


def stage_rows(plan: Plan) -> Rows:
    """A row for each stage."""
    return [
        (
            stage.name,
            between(stage.core_hours) if stage.core_hours.mid else "",
            amount(stage.read) if stage.read else "",
            amount(stage.write) if stage.write else "",
            f"{stage.machines} x {stage.machine}",
            between(stage.hours),
            stage.limit,
            between(stage.dollars),
        )
        for stage in plan.stages
    ]


def rate_rows(found: Calibration) -> Rows:
    """A row for each rate. Growth: time goes as size to that power."""
    rows: Rows = []
    for name, one in found.measured.items():
        a_second = "" if name.startswith("ratio") or one.unit.startswith("bytes a") else " a second"
        growth = "" if one.exponent is None else f"{one.exponent:.2f}"
        spread = one.interval
        rows.append((name, three(spread.low), three(spread.mid), three(spread.high), one.unit + a_second, growth))
    return rows


def machine_rows() -> Rows:
    """The machines that may be rented."""
    return [
        (
            one.name,
            str(one.cores),
            f"{one.memory / 2**30:.0f} GiB",
            amount(one.disk),
            amount(one.read),
            amount(one.write),
            f"{one.dollars:.2f}",
            one.source,
        )
        for one in map(MACHINES.__getitem__, STORES)
    ]


def summary(plan: Plan) -> str:
    """What it comes to, in two sentences."""
    size, store = plan.size, plan.store
    return (
        f"{count(size.parameters)} parameters x {size.iterations} iterations are {amount(plan.raw)} of values "
        f"({size.bytes_per_value} bytes each) and {amount(store.mid)} recorded ({amount(store.low)} to "
        f"{amount(store.high)}); indexes take {amount(plan.indexes)}. One stage after another takes "
        f"{between(plan.hours)} hours and {between(plan.dollars)} dollars, "
        f"keeping the record {three(plan.month.mid)} dollars a month; the longest stage is {plan.slowest}."
    )


def markdown(found: Calibration, plans: Sequence[Plan]) -> str:
    """The page of documentation."""
    parts = [f"# What it takes at {count(plans[0].size.parameters)} parameters", "", *INTRODUCTION, ""]
    for plan in plans:
        parts += [f"## {count(plan.size.parameters)} parameters, {plan.size.bytes_per_value} bytes a value", ""]
        parts += [summary(plan), "", *_table(STAGES, stage_rows(plan)), ""]
    parts += ["## The rates", "", _measured(found), "", *_table(RATES, rate_rows(found)), ""]
    parts += ["## How growth was checked", "", *_grown(found), ""]
    parts += ["## Machines and prices", "", *PRICES, "", *_table(MACHINE, machine_rows()), ""]
    parts += ["## What is assumed", "", *(f"- {one[0].upper()}{one[1:]}." for one in ASSUMED), ""]
    return "\n".join(parts)


INTRODUCTION = (
    "Nothing of this size was run. These are rates measured on a small real run, at one thread, times the size: by",
    "`ontogeny scale --rates docs/scale.json --markdown`, which writes this page; `ontogeny scale --rounds 3 --save",
    "FILE` measures anew. Intervals are the quartiles of all that was measured, carried through. They do not hold what",
    "is assumed below. On a busy machine one round was seen to differ from the next by a third.",
)
PRICES = (
    "List prices as published where the table says, without discounts; look them up again before you rely on them.",
    "Cores are half the virtual ones. Disk rates are the vendor's random reads and writes of 4 KiB, less than they",
    "stream; these, and the 0.023 dollars a GB and month (S3 Standard, list price of 2025), were not looked up anew.",
)


def _measured(found: Calibration) -> str:
    return (
        f"Measured on {found.date}, on {found.machine}, in {found.seconds:.0f} seconds of CPU: the values of a "
        f"transformer of {found.parameters:,} parameters at {found.states} states of its training; for 2 bytes the "
        "same values rounded to bf16. `disk` is this machine's own, by the clock, and enters no plan."
    )


def _grown(found: Calibration) -> list[str]:
    """Seconds at three sizes."""
    measured = {name: one for name, one in found.measured.items() if one.grown}
    sizes = [f"{size:,} elements" for size, _ in next(iter(measured.values())).grown]
    rows: Rows = [
        (name, *(f"{seconds:.4f} s" for _, seconds in one.grown), f"{one.exponent:.2f}")
        for name, one in measured.items()
    ]
    text = (
        "Each measure was taken at three sizes; the last column is the exponent of the straight line through the "
        "logarithms. Below 1 there is a cost that does not grow with the size; above 1, caches no longer hold it. "
        "Beyond the largest size nothing is extrapolated but the number of shards, each no larger than that."
    )
    return [text, "", *_table(("what", *sizes, "exponent"), rows)]


def _table(heads: Sequence[str], rows: Rows) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (heads, ("---",) * len(heads), *rows)]
