"""ontogeny moments"""

from __future__ import annotations

from typing import Annotated, Any, cast, get_args

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.moments import Extreme, moments, outliers
from ontogeny.faces.sources import DataFile, RunName, StepWindow, Tensors, recording
from ontogeny.faces.terminal import AsJson, answer, number, table
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.moments import NAMES, Over, TensorMoments
from ontogeny.record.trace.traces import Window, shown

SORTS = ("tensor", *NAMES)


def command(
    name: RunName,
    steps: StepWindow = ":",
    tensors: Tensors = None,
    over: Annotated[str, typer.Option("--over", help="values or updates.")] = "updates",
    elements: Annotated[bool, typer.Option("--elements", help="Single elements rather than whole tensors.")] = False,
    sort: Annotated[str, typer.Option("--sort", help="By tensor, mean, variance, skewness or kurtosis.")] = "tensor",
    count: Annotated[int, typer.Option("--top", min=1, help="So many rows.")] = 20,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Say how every parameter's chart is distributed: mean, variance, skewness, kurtosis.

    Of a tensor the mean over its elements is shown; kurtosis is the excess over a normal distribution's.
    """
    if over not in get_args(Over) or sort not in SORTS:
        raise OntogenyError(f"--over is values or updates, and --sort one of {', '.join(SORTS)}")
    which = cast(Over, over)
    found = moments(recording(name, file).traces, Window.parse(steps), tensors)
    rows = by_element(found, which) if elements else by_tensor(found, which)
    rows = ordered(rows, sort)[:count]
    odd = outliers(found, which, min(count, 10))
    document = {
        "over": over,
        "steps": found[0].of(which).count if found else 0,
        "rows": rows,
        "outliers": [
            {"element": e.element, "moment": e.moment, "value": e.value, "deviation": e.deviation} for e in odd
        ],
    }
    answer(document, as_json, lambda console: say(console, document, odd))


def by_tensor(found: list[TensorMoments], over: Over) -> list[dict[str, Any]]:
    """One row for each tensor: the mean of each moment over its elements, those that have none left out."""
    rows = []
    for item in found:
        vector = item.of(over).vector()
        means = [
            float(column[np.isfinite(column)].mean()) if np.isfinite(column).any() else float("nan")
            for column in vector.T
        ]
        rows.append({"name": item.tensor.name, "elements": len(vector), **dict(zip(NAMES, means, strict=True))})
    return rows


def by_element(found: list[TensorMoments], over: Over) -> list[dict[str, Any]]:
    """One row for each element."""
    return [
        {"name": shown(item.tensor, place), **dict(zip(NAMES, row, strict=True))}
        for item in found
        for place, row in enumerate(item.of(over).vector().tolist())
    ]


def ordered(rows: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    """The rows by one moment, the largest in size first; those without it last."""
    if sort == "tensor":
        return rows
    return sorted(rows, key=lambda row: (np.isnan(row[sort]), -abs(row[sort])))


def say(console: Console, document: dict[str, Any], odd: list[Extreme]) -> None:
    """The tables for a person."""
    shown_rows = table(
        f"moments of {document['over']}, {document['steps']} of each", name="left", **dict.fromkeys(NAMES, "right")
    )
    for row in document["rows"]:
        shown_rows.add_row(escape(row["name"]), *(number(row[name]) for name in NAMES))
    console.print(shown_rows)
    if odd:
        far = table("farthest from their tensor", element="left", moment="left", value="right", deviations="right")
        for one in odd:
            far.add_row(escape(one.element), one.moment, number(one.value), f"{one.deviation:+.1f}")
        console.print(far)
