"""ontogeny set"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from ontogeny.faces.numbers import numbers
from ontogeny.faces.sources import DataFile, RunName, opened
from ontogeny.faces.terminal import AsJson, answer


def command(
    name: RunName,
    dials: Annotated[list[str], typer.Argument(metavar="DIAL=VALUE...", help="Dials and their new values.")],
    over: Annotated[int, typer.Option("--over", min=0, help="Get there over so many steps; 0 for at once.")] = 0,
    shape: Annotated[
        str, typer.Option("--shape", help="How, with --over: linear, cosine or exponential.")
    ] = "linear",
    author: Annotated[str, typer.Option("--author", help="Who turns them, for the journal.")] = "you",
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Turn a dial of a run from its present step on.

    The journal keeps it, and what was before stays as it was. To turn a dial in the past, fork there.
    """
    turned = numbers(dials)
    with opened(name, file) as run:
        before = run.dials()
        for dial, value in turned.items():
            run.set_dial(dial, value, over=over, shape=shape, author=author)
        reached = run.step + over
        document = {"run": run.folder.name, "step": run.step, "dials": run.dials(reached), "before": before}
        document |= {"over": over, "reached": reached}
    when = f"over {over} steps, reached at step {reached}" if over else f"from step {run.step} on"
    lines = [f"{escape(dial)}: {before[dial]:g} -> {value:g} {when}" for dial, value in turned.items()]
    answer(document, as_json, lambda console: console.print("\n".join(lines)))
