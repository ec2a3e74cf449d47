"""ontogeny moments"""

from __future__ import annotations

from dataclasses import asdict
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.index_cache import traces_of
from ontogeny.ask.moment_scatter import Scatter, pair, scatter
from ontogeny.ask.moments import Extreme, moments, outliers
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, StepWindow, Tensors, Valued, find, runs_folder, values
from ontogeny.faces.terminal import AsJson, answer, number, size, table
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.attach.moment_files import FOLDER, read
from ontogeny.record.moments import NAMES, Over, TensorMoments
from ontogeny.record.trace.traces import Window, shown

ENDINGS = (".png", ".svg", ".html")
SORTS = ("tensor", *NAMES)


Which = Annotated[str, typer.Option("--over", help="values or updates.")]
Elements = Annotated[bool, typer.Option("--elements", help="Single elements rather than whole tensors.")]
Sort = Annotated[str, typer.Option("--sort", help="By tensor, mean, variance, skewness or kurtosis.")]
Against = Annotated[
    str, typer.Option("--against", help="Draw one moment against another over all elements: variance:kurtosis.")
]
Output = Annotated[
    str, typer.Option("--output", "--out", "-o", help="The picture, .png, .svg or .html; else RUN-moments.png.")
]
Title = Annotated[str, typer.Option("--title", help="Above the picture.")]
Dark = Annotated[bool, typer.Option("--dark", help="On dark paper; a page follows the reader's own setting.")]
Streamed = Annotated[
    bool, typer.Option("--online", help="Those that were streamed while it trained, of every step of it.")
]


def command(
    name: Valued,
    steps: StepWindow = ":",
    tensors: Tensors = None,
    over: Which = "updates",
    elements: Elements = False,
    sort: Sort = "tensor",
    count: Annotated[int, typer.Option("--top", min=1, help="So many rows.")] = 20,
    against: Against = "",
    output: Output = "",
    title: Title = "",
    dark: Dark = False,
    online: Streamed = False,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Say how every parameter's chart is distributed: mean, variance, skewness, kurtosis.

    Of a tensor the mean over its elements is shown; kurtosis is the excess over a normal distribution's.
    """
    if over not in get_args(Over) or sort not in SORTS:
        raise OntogenyError(f"--over is values or updates, and --sort one of {', '.join(SORTS)}")
    which = cast(Over, over)
    wanted = drawing(name, against, output)
    with Busy(f"going through the values of {name}", as_json):
        found = streamed(name, steps, tensors) if online else recorded(name, steps, tensors, file)
    if wanted is None:
        rows = by_element(found, which) if elements else by_tensor(found, which)
        tell(found, which, ordered(rows, sort)[:count], min(count, 10), as_json)
        return
    target, (across, up) = wanted
    picture = scatter(found, across, up, which)
    _drawer().save_scatter(picture, target, title, dark)
    answer(drawn(picture, target), as_json, lambda console: say_drawn(console, picture, target))


def tell(found: list[TensorMoments], over: Over, rows: list[dict[str, Any]], count: int, as_json: bool) -> None:
    """The rows, and the elements that stand out."""
    odd = outliers(found, over, count)
    document = {
        "over": over,
        "steps": found[0].of(over).count if found else 0,
        "rows": rows,
        "outliers": [
            {"element": e.element, "moment": e.moment, "value": e.value, "deviation": e.deviation} for e in odd
        ],
    }
    answer(document, as_json, lambda console: say(console, document, odd))


def recorded(name: str, steps: str, tensors: list[str] | None, file: str) -> list[TensorMoments]:
    """In one pass over what is recorded."""
    return moments(traces_of(values(name, file)), Window.parse(steps), tensors)


def streamed(name: str, steps: str, tensors: list[str] | None) -> list[TensorMoments]:
    """What was kept of a run under way, or of `og.watch_moments` alone, in the folder that it was saved in."""
    if steps != ":":
        raise OntogenyError(f"--online has the moments of all its steps, not of {steps}; leave one of the two away")
    bare = [folder for folder in (runs_folder() / name, Path(name)) if (folder / FOLDER).is_dir()]
    found = read(bare[0] if bare else find(name)).tensors
    if tensors is None:
        return list(found)
    chosen = [item for item in found if any(fnmatchcase(item.tensor.name, pattern) for pattern in tensors)]
    if not chosen:
        there = ", ".join(item.tensor.name for item in found)
        raise OntogenyError(f"no streamed tensor matches {', '.join(tensors)}; there are {there}")
    return chosen


def drawing(name: str, against: str, output: str) -> tuple[Path, tuple[str, str]] | None:
    """Where a picture goes, and of which two moments; None where none is asked for."""
    if not against:
        if output:
            raise OntogenyError(f"{output} is to be a picture of what? add --against variance:kurtosis")
        return None
    target = Path(output or f"{Path(name).name}-moments.png")
    if target.suffix not in ENDINGS:
        raise OntogenyError(f"{target} names no kind of picture; let it end in {', '.join(ENDINGS)}")
    return target, pair(against)


def _drawer() -> Any:
    try:
        return import_module("ontogeny.faces.moment_chart")
    except ImportError as error:
        raise OntogenyError("this needs Matplotlib: pip install 'ontogeny[demo]'") from error


def drawn(found: Scatter, target: Path) -> dict[str, Any]:
    """What was drawn, without its cells."""
    axes = {one.moment: {"range": [one.low, one.high], "scale": one.scale.kind} for one in (found.x, found.y)}
    panels = [
        {
            "name": panel.name,
            "elements": panel.elements,
            "missing": panel.missing,
            "far": [asdict(point) for point in panel.far],
        }
        for panel in found.panels
    ]
    return {"file": target, "over": found.over, "steps": found.observations, "axes": axes, "panels": panels}


def say_drawn(console: Console, found: Scatter, target: Path) -> None:
    """The same for a person."""
    console.print(f"{escape(str(target))}: {size(target.stat().st_size)}", soft_wrap=True)
    whole = found.panels[0]
    left_out = f", {whole.missing:,} without these moments" if whole.missing else ""
    console.print(f"[dim]{whole.elements:,} elements{left_out}; {found.observations:,} {found.over} of each[/]")
    for point in whole.far:
        console.print(
            escape(f"{point.element}  {number(point.x)}  {number(point.y)}  {point.deviation:.1f} deviations")
        )


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
