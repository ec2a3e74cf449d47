"""Regimes side by side, for a person: the goal's steps, what was reached, work, and how each stands to `plain`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from rich.console import Console
from rich.markup import escape

from ontogeny.claims.verdict import Interval, interval
from ontogeny.faces.terminal import amount, columns, duration, number, table
from ontogeny.train.regimes.compared import Tried
from ontogeny.train.regimes.table import PLAIN

HELD_OUT = "valid."
WORK = "Operations are those of a step in the mean, with what its routines take."


@dataclass(frozen=True, slots=True)
class Summary:
    """A regime over its seeds: in how many the goal was reached, the mean of its steps there, metrics in the mean, the
    operations of a step, CPU seconds in the mean, and its steps to those of `plain`, with the same seed, where both
    reached the goal with every seed."""

    regime: str
    seeds: int
    reached: int
    steps: float | None
    metrics: dict[str, Interval]
    operations: float
    seconds: float
    to_plain: Interval | None


def summary(found: Sequence[Tried]) -> list[Summary]:
    """Each regime, in the order in which they were tried."""
    plain = {one.seed: one for one in found if one.regime == PLAIN}
    return [
        _one([one for one in found if one.regime == name], plain) for name in dict.fromkeys(f.regime for f in found)
    ]


def _one(own: Sequence[Tried], plain: dict[int, Tried]) -> Summary:
    steps = [one.reached for one in own if one.reached is not None]
    names = dict.fromkeys(name for one in own for name in one.metrics)
    metrics = {name: interval([one.metrics[name] for one in own if name in one.metrics]) for name in names}
    both = [(one.reached, plain[one.seed].reached) for one in own if one.seed in plain]
    ratios = [mine / theirs for mine, theirs in both if mine and theirs]
    told = own[0].regime != PLAIN and ratios and len(ratios) == len(own)
    return Summary(own[0].regime, len(own), len(steps), fmean(steps) if steps else None, metrics, own[0].operations,
                   fmean(one.seconds for one in own), interval(ratios) if told else None)  # fmt: skip


def say(console: Console, found: Sequence[Tried], files: Sequence[str]) -> None:
    """The table, a line for each regime, and what ended early."""
    rows = summary(found)
    every = list(dict.fromkeys(name for row in rows for name in row.metrics))
    names = [name for name in every if name.startswith(HELD_OUT)] or every
    goals = any(row.reached for row in rows)
    shown = columns(
        table("", regime="left"), [*(["goal at", "to plain"] if goals else []), *names, "operations", "CPU"]
    )
    for row in rows:
        goal = [_goal(row), _between(row.to_plain) if row.to_plain else ""] if goals else []
        values = [_between(row.metrics[name]) if name in row.metrics else "" for name in names]
        shown.add_row(escape(row.regime), *goal, *values, amount(row.operations), duration(row.seconds))
    console.print(shown)
    for one in found:
        if one.broken:
            console.print(f"{escape(one.run)} ended at step {one.steps}: {escape(one.broken)}", soft_wrap=True)
    seeds = len({one.seed for one in found})
    console.print(f"[dim]{_told(seeds)} The runs: {escape(', '.join(one.run for one in found))}[/]", soft_wrap=True)
    for path in files:
        console.print(escape(path), soft_wrap=True)


def _told(seeds: int) -> str:
    if seeds == 1:
        return f"One seed: no interval, so differences may be chance; --seeds 0,1,2 tells. {WORK}"
    return f"Means over {seeds} seeds, beneath them their 95% intervals. {WORK}"


def _goal(row: Summary) -> str:
    if row.steps is None:
        return "never"
    return number(row.steps) if row.reached == row.seeds else f"{number(row.steps)}\n{row.reached} of {row.seeds}"


def _between(found: Interval) -> str:
    if found.low == found.high or found.high == float("inf"):
        return number(found.mean)
    return f"{found.mean:.3g}\n({found.low:.3g} to {found.high:.3g})"
