"""ontogeny chart"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.chart import Chart, chart
from ontogeny.ask.quantity import VALUE
from ontogeny.faces.density_page import density_page
from ontogeny.faces.density_words import about
from ontogeny.faces.outputs import SPELT
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, StepWindow, Tensors, Valued, called, values
from ontogeny.faces.terminal import AsJson, answer, size
from ontogeny.isa.errors import OntogenyError

ENDINGS = (".png", ".svg", ".html")
WHOLE, SMALL = (1280, 560), (440, 220)
"""Pixels of a single panel, and of one among several."""


Quantity = Annotated[str, typer.Option("--quantity", help="value, update or z.")]
Log = Annotated[bool, typer.Option("--log", help="A logarithmic axis; from zero in both directions if need be.")]
Range = Annotated[str, typer.Option("--range", help="The values shown, such as -0.1:0.1.")]
Each = Annotated[str, typer.Option("--each", help="A panel for each tensor or layer.")]
Lines = Annotated[list[str] | None, typer.Option("--line", help="One element over it: embed.weight[3,7].")]
Output = Annotated[str, typer.Option(*SPELT, help="The file, .png, .svg or .html; else RUN-chart.png.")]
Title = Annotated[str, typer.Option("--title", help="At the top.")]
Width = Annotated[int, typer.Option("--width", min=0, max=8192, help="Pixels of a panel; 0 chooses.")]
Height = Annotated[int, typer.Option("--height", min=0, max=8192, help="The same upwards.")]
Dark = Annotated[bool, typer.Option("--dark", help="On dark paper; a page follows the reader's own setting.")]


def command(
    name: Valued,
    tensors: Tensors = None,
    steps: StepWindow = ":",
    quantity: Quantity = VALUE,
    log: Log = False,
    span: Range = ":",
    each: Each = "",
    lines: Lines = None,
    output: Output = "",
    title: Title = "",
    width: Width = 0,
    height: Height = 0,
    dark: Dark = False,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Draw all parameters against steps as one picture of their density, the loss beneath.

    The first chart of a run builds an index that lies with the run; every further one costs only its pixels.
    """
    source = values(name, file)
    target = Path(output or f"{called(source)}-chart.png")
    if target.suffix not in ENDINGS:
        raise OntogenyError(f"{target} names no kind of picture; let it end in {', '.join(ENDINGS)}")
    wide, tall = SMALL if each else WHOLE
    with Busy(f"charting {called(source)}, at first with an index of its values", as_json):
        found = chart(
            source, tensors=tensors, steps=steps, quantity=quantity, log=log, span=span_of(span), each=each,
            lines=lines or (), columns=width or wide, rows=height or tall,
        )  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".html":
        target.write_text(density_page(found, title), encoding="utf-8")
    else:
        picture = _picture()
        picture.save_density(picture.draw_density(found, title, dark), target)
    answer(document(found, target), as_json, lambda console: say(console, found, target))


def _picture() -> Any:
    """What draws PNG and SVG; a page needs none of its library."""
    try:
        return import_module("ontogeny.faces.density_picture")
    except ImportError as error:
        raise OntogenyError("this needs Matplotlib: pip install 'ontogeny[demo]'; a .html needs nothing") from error


def span_of(text: str) -> tuple[float | None, float | None]:
    """A range of values as a person says it: -0.1:0.1, :2 or 0:."""
    low, colon, high = text.partition(":")
    try:
        if not colon:
            raise ValueError
        return float(low) if low.strip() else None, float(high) if high.strip() else None
    except ValueError as error:
        raise OntogenyError(f"{text!r} is no range of values; write -0.1:0.1, :2 or 0:") from error


def document(found: Chart, target: Path) -> dict[str, Any]:
    """What was drawn, without its pixels."""
    panels = [
        {
            "name": panel.name,
            "tensors": panel.tensors,
            "elements": panel.elements,
            "range": [float(panel.edges[0]), float(panel.edges[-1])],
            "scale": panel.scale.kind,
            "from": "values" if panel.exact else "index",
            "rows_per_bin": panel.blur,
            "not_finite": float(panel.density.nonfinite.max()),
        }
        for panel in found.panels
    ]
    return {
        "file": target,
        "bytes": target.stat().st_size,
        "quantity": found.quantity,
        "steps": [float(found.steps[0]), float(found.steps[-1])],
        "points": found.points,
        "panels": panels,
    }


def say(console: Console, found: Chart, target: Path) -> None:
    """The same for a person."""
    console.print(f"{escape(str(target))}: {size(target.stat().st_size)}", soft_wrap=True)
    console.print(f"[dim]{escape(about(found))}[/]", soft_wrap=True)
