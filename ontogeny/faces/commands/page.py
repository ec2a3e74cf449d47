"""ontogeny page"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.page import page
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import RunNames, opened, recording, view_of
from ontogeny.faces.terminal import AsJson, answer, size


def command(
    names: RunNames,
    output: Annotated[str, typer.Option(*SPELT, help="The file; else RUN.html.")] = "",
    title: Annotated[str, typer.Option("--title", help="At the top.")] = "",
    verify: Annotated[bool, typer.Option("--verify", help="Replay the runs first, and say what came of it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a run as one HTML page that needs no network. Further runs stand beside it in the curves."""
    with Busy("replaying every step", as_json):
        proof = " ".join(f"{run.folder.name}: {run.verify()}." for run in map(opened, names)) if verify else ""
    runs = [recording(name) for name in names]
    target = place(output, f"{runs[0].folder.name}.html")
    target.write_text(page([view_of(run) for run in runs], title, proof), encoding="utf-8")
    words = f"{escape(str(target))}: {size(target.stat().st_size)}"
    answer({"file": target, "bytes": target.stat().st_size}, as_json, lambda c: c.print(words, soft_wrap=True))
