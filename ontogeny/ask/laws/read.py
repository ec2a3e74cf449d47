"""Points out of a CSV file: `parameters,tokens,loss`, and where there are such columns `unique` or `epochs`,
`weight_decay` and `name`. Other columns are passed over."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from ontogeny.ask.laws.points import Points, points
from ontogeny.isa.errors import LawError

CALLED = {
    "parameters": ("parameters", "params", "n"),
    "tokens": ("tokens", "examples", "d"),
    "loss": ("loss", "l"),
    "unique": ("unique", "unique_tokens", "distinct", "u"),
    "epochs": ("epochs",),
    "decay": ("weight_decay", "decay"),
    "name": ("name", "run"),
}
"""Of each column, what it may be called, in any case."""
NEEDED = ("parameters", "tokens", "loss")


def read_points(file: Path) -> Points:
    """The points of a file, a row each. LawError names the line and what was expected there."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, skipinitialspace=True)
            named = _named(file, rows.fieldnames or ())
            columns: dict[str, list[str]] = {name: [] for name in named}
            places = []
            for row in rows:
                places.append(rows.line_num)
                for name, column in named.items():
                    columns[name].append((row[column] or "").strip())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LawError(f"{file} cannot be read as CSV: {error}") from error
    if not places:
        raise LawError(f"{file} has no rows; give each run one, beneath parameters,tokens,loss")
    if {"unique", "epochs"} <= set(named):
        raise LawError(f"{file} has both {named['unique']} and {named['epochs']}; keep one of them")
    given = {
        name: [_number(file, line, named[name], text) for line, text in zip(places, texts, strict=True)]
        for name, texts in columns.items()
        if name != "name"
    }
    names = columns.get("name", [f"line {line}" for line in places])
    return points(given.pop("parameters"), given.pop("tokens"), given.pop("loss"), names=names, **given)


def _named(file: Path, heads: object) -> dict[str, str]:
    """Which of the file's columns is which."""
    there = {str(head).strip().lower(): str(head) for head in heads} if isinstance(heads, list | tuple) else {}
    found = {name: there[one] for name, words in CALLED.items() for one in words[::-1] if one in there}
    if missing := [name for name in NEEDED if name not in found]:
        raise LawError(
            f"{file} has no column {', '.join(missing)} (there are {', '.join(there) or 'none'}); its first line "
            f"has to name parameters,tokens,loss, and may name unique or epochs, weight_decay, name"
        )
    return found


def _number(file: Path, line: int, column: str, text: str) -> float:
    if not text and column.strip().lower() in CALLED["decay"]:
        return math.nan
    try:
        return float(text.replace("_", ""))
    except ValueError as error:
        raise LawError(f"line {line} of {file}: {column} is {text!r}, and a number was expected") from error
