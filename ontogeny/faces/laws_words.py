"""What `ontogeny laws` shows of a law: tables of its numbers, of what it foretells and of the best of a budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from ontogeny.ask.laws.asked import Told
from ontogeny.ask.laws.law import Interval, Law, Optimal, Prediction
from ontogeny.ask.laws.words import GUESS, far, fit_words, refused_words
from ontogeny.faces.terminal import amount, number, table


def say(console: Console, found: Told, files: Sequence[Path]) -> None:
    """Everything for a person."""
    say_law(console, found.law, found.unit, found.refused)
    say_predictions(console, found.predictions, found.unit)
    say_asymptotes(console, found.asymptotes, found.unit)
    say_optimal(console, found.optimal, found.unit, found.each)
    say_decays(console, found.decays)
    for path in files:
        console.print(escape(str(path)), soft_wrap=True)


def say_law(console: Console, law: Law, unit: str, refused: dict[str, str]) -> None:
    """The law, its numbers and how the fit went."""
    console.print(f"[bold]{escape(law.form.formula)}[/]", soft_wrap=True)
    console.print(f"[dim]{law.form.name}: {escape(law.source or law.form.source)}[/]", soft_wrap=True)
    meanings = {one.name: one.meaning.replace("tokens", unit) for one in law.form.numbers}
    shown = table("", number="left", value="right", low="right", high="right", what="left")
    for name, found in law.numbers().items():
        shown.add_row(name, *_three(found), escape(meanings[name]))
    console.print(shown)
    for sentence in fit_words(law):
        console.print(escape(sentence), soft_wrap=True)
    for sentence in refused_words(refused):
        console.print(f"[dim]{escape(sentence)}[/]", soft_wrap=True)


def say_predictions(console: Console, found: Sequence[Prediction], unit: str) -> None:
    """A row for each run that was asked about."""
    if not found:
        return
    shown = table("", **{"parameters": "right", unit: "right", "epochs": "right", "loss": "right", "low": "right",
                         "high": "right", "a_run_from": "right", "to": "right", "beyond": "right"})  # fmt: skip
    for one in found:
        sizes = amount(one.parameters), amount(one.tokens), f"{one.tokens / one.unique:.3g}"
        shown.add_row(*sizes, *_three(one.loss), *_three(one.run)[1:], _beyond(one.beyond))
    console.print(shown)
    if far(found):
        console.print(f"[dim]{GUESS}[/]")


def say_asymptotes(console: Console, found: Sequence[Prediction], unit: str) -> None:
    """A row for each amount of data: what no number of parameters would get below."""
    if not found:
        return
    shown = table("", **{unit: "right", "distinct": "right", "at_best": "right", "low": "right", "high": "right"})
    for one in found:
        shown.add_row(amount(one.tokens), amount(one.unique), *_three(one.loss))
    console.print("[dim]the best for that data: parameters without end[/]")
    console.print(shown)


def say_optimal(console: Console, found: Sequence[Optimal], unit: str, per: float) -> None:
    """A row for each budget."""
    if not found:
        return
    console.print(f"[dim]the best use of a budget, at {per:.3g} operations a parameter and {unit.rstrip('s')}[/]")
    shown = table("", operations="right", what="left", value="right", low="right", high="right", beyond="right")
    for one in found:
        rows = {"parameters": one.parameters, unit: one.tokens, "epochs": one.epochs, "loss": one.loss}
        for name, value in rows.items():
            if name != "epochs" or value.value > 1:
                first = name == "parameters"
                told = _three(value, amount if name in ("parameters", unit) else number)
                shown.add_row(f"{one.budget:.3g}" if first else "", name, *told, _beyond(one.beyond) if first else "")
    console.print(shown)


def say_decays(console: Console, rows: Sequence[tuple[float, float, float, float, float]]) -> None:
    """The best weight decay that is foretold for each size and data."""
    if not rows:
        return
    shown = table(
        "the best weight decay", parameters="right", distinct="right", best="right", low="right", high="right"
    )
    for size, unique, *decay in rows:
        shown.add_row(amount(size), amount(unique), *map(number, decay))
    console.print(shown)


def _three(one: Interval, words: Callable[[float], str] = number) -> tuple[str, str, str]:
    low, high = ("" if math.isnan(end) else words(end) for end in (one.low, one.high))
    return words(one.value), low, high


def _beyond(times: float) -> str:
    return "" if math.isnan(times) or times <= 1.001 else f"{times:.3g}x"
