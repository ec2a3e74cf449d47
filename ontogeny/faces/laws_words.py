"""What `ontogeny laws` says of a law, and the words of its options: a run to foretell, a budget."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from ontogeny.ask.laws.law import Interval, Law, Optimal, Prediction
from ontogeny.faces.terminal import amount, number, table
from ontogeny.isa.errors import OntogenyError

UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}
FAR = 10.0
"""How many times beyond the runs a forecast is said to be a guess."""
SHOWN = 5
HIGH = 0.1
TIMES = ((1, 1), (2, 1), (10, 1), (1, 2), (1, 10), (10, 10))
Asked = tuple[float, float, float]


def quantity(text: str) -> float:
    """A number above 0 as a person says it: 1e9, 70B, 1.4T, 400k."""
    match = re.fullmatch(r"([0-9][0-9_.]*(?:e[+-]?\d+)?)\s*([kmgbt]?)", text.strip().lower())
    try:
        found = float(match[1].replace("_", "")) * UNITS[match[2]] if match else 0.0
    except ValueError:
        found = 0.0
    if not 0 < found < math.inf:
        raise OntogenyError(f"{text!r} is no quantity; give a number above 0, such as 1e9, 70B or 400k")
    return found


def asked(text: str) -> Asked:
    """N,D or N,D,EPOCHS as parameters, tokens seen, and distinct ones among them."""
    parts = text.split(",")
    if not 2 <= len(parts) <= 3:
        raise OntogenyError(f"{text!r} is no run to foretell; give N,D or N,D,EPOCHS, such as 1e9,20e9 or 1e9,20e9,4")
    size, tokens, *epochs = (quantity(part) for part in parts)
    return size, tokens, tokens / max(1.0, epochs[0] if epochs else 1.0)


def what_if(law: Law) -> list[Asked]:
    """The largest run, and it with twice and ten times the parameters, the data, or both."""
    if law.points is None:
        return []
    most = int((law.points.parameters * law.points.tokens).argmax())
    size, tokens, unique = (float(getattr(law.points, axis)[most]) for axis in ("parameters", "tokens", "unique"))
    grows = {"size": (True, False), "data": (False, True)}.get(law.form.name, (True, True))
    times = dict.fromkeys((n if grows[0] else 1, d if grows[1] else 1) for n, d in TIMES)
    found = [(size * n, tokens * d, unique * d) for n, d in times]
    if law.form.name in ("repetition", "excess"):
        found += [(size, tokens * again, unique) for again in (4, 16)]
    return found


@dataclass(frozen=True)
class Told:
    """A law and what was asked of it. `decays` are rows of parameters, distinct tokens, best weight decay, its ends."""

    law: Law
    unit: str
    each: float
    refused: dict[str, str]
    predictions: list[Prediction]
    asymptotes: list[Prediction]
    optimal: list[Optimal]
    decays: list[tuple[float, float, float, float, float]]
    files: list[Path]

    def as_json(self) -> dict[str, Any]:
        """The same in plain values."""
        names = ("parameters", "unique", "value", "low", "high")
        return self.law.as_json() | {
            "unit": self.unit,
            "refused": self.refused,
            "predictions": [asdict(one) for one in self.predictions],
            "asymptotes": [asdict(one) for one in self.asymptotes],
            "operations_each": self.each,
            "optimal": [asdict(one) for one in self.optimal],
            "best_decay": [dict(zip(names, row, strict=True)) for row in self.decays],
            "files": [str(path) for path in self.files],
        }

    def say(self, console: Console) -> None:
        """The same for a person."""
        say_law(console, self.law, self.unit, self.refused)
        say_predictions(console, self.predictions, self.unit)
        say_asymptotes(console, self.asymptotes, self.unit)
        say_optimal(console, self.optimal, self.unit, self.each)
        say_decays(console, self.decays)
        for path in self.files:
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
    if law.points is not None:
        fit = law.as_json()
        same, starts = fit["starts_at_the_same_minimum"]
        failed = f", {law.failed} of {law.failed + fit['samples']} samples failed" if law.failed else ""
        console.print(
            f"{fit['points']} runs, typical error {fit['typical_error']:.2%}; {same} of {starts} starts led to this "
            f"minimum; low and high: 95 of 100 of {fit['samples']} samples of the runs{failed}",
            soft_wrap=True,
        )
        for remark in law.remarks():
            console.print(escape(remark), soft_wrap=True)
        if far := law.far_off():
            more = f" and {len(far) - SHOWN} more" if len(far) > SHOWN else ""
            told = ", ".join(f"{name} ({error:+.0%})" for name, error in far[:SHOWN])
            hint = "; --drop-highest K leaves out the K highest losses" if far[0][1] > HIGH else ""
            console.print(f"far off the law: {escape(told)}{more}{hint}", soft_wrap=True)
    for name, why in refused.items():
        console.print(f"[dim]not {name}: {escape(why.removeprefix(name).lstrip(': '))}[/]", soft_wrap=True)


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
    if any(one.beyond > FAR for one in found):
        console.print(f"[dim]beyond: times outside the runs; past {FAR:g}x it is a guess, whatever the interval[/]")


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
