"""ontogeny picture"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.picture import draw, save
from ontogeny.faces.sources import RunNames, recording, view_of
from ontogeny.faces.terminal import AsJson, answer


def command(
    names: RunNames,
    output: Annotated[str, typer.Option(*SPELT, help="The file; PNG and SVG are both written.")] = "",
    title: Annotated[str, typer.Option("--title", help="Above the curves.")] = "",
    as_json: AsJson = False,
) -> None:
    """Draw the curves of one or several runs."""
    views = [view_of(recording(name)) for name in names]
    paths = save(draw(views, title), place(output, f"{views[0].name}.png"))
    answer({"files": paths}, as_json, lambda console: console.print(escape("  ".join(map(str, paths))), soft_wrap=True))
