"""ontogeny verify"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from ontogeny.faces.progress import Live
from ontogeny.faces.sources import DataFile, RunName, opened
from ontogeny.faces.terminal import AsJson, answer


def command(
    name: RunName,
    options: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Options of the file, with --file.")
    ] = None,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Replay a run and prove it against the hash of every step. Exits 1 where anything differs."""
    run = opened(name, file, options or ())
    with Live(run.step, run.base, quiet=as_json, what="replay") as live:
        report = run.verify(live.step)
    colour, sign = ("green", "proved") if report.ok else ("bold red", "differs")
    document = {"run": run.folder.name, "ok": report.ok, "said": str(report), **asdict(report)}
    answer(
        document, as_json, lambda console: console.print(f"[{colour}]{sign}[/]  {escape(str(report))}", soft_wrap=True)
    )
    if not report.ok:
        raise typer.Exit(1)
