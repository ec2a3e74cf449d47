"""ontogeny resume"""

from __future__ import annotations

from typing import Annotated

import typer

from ontogeny.faces.running import go_on
from ontogeny.faces.sources import DataFile, RunName, opened
from ontogeny.faces.terminal import AsJson
from ontogeny.record.experiment import Goal


def command(
    name: RunName,
    options: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Options of the file, with --file.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", help="How many more steps to take.")] = 1000,
    until: Annotated[str, typer.Option("--until", help='Stop early, such as "valid.accuracy >= 0.99".')] = "",
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Let a run go on from where it is."""
    go_on(opened(name, file, options or ()), steps, Goal.parse(until) if until else None, as_json)
