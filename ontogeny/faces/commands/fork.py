"""ontogeny fork"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from ontogeny.faces.numbers import numbers, step_of
from ontogeny.faces.programs import load_program
from ontogeny.faces.running import document, go_on
from ontogeny.faces.sources import DataFile, RunName, fresh, opened
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.record.experiment import Goal


def command(
    name: RunName,
    step: Annotated[str, typer.Argument(help="The step to branch at, `last`, or -10 for ten before it.")],
    dials: Annotated[list[str] | None, typer.Argument(metavar="[DIAL=VALUE]...", help="Dials from there on.")] = None,
    dial: Annotated[list[str] | None, typer.Option("--dial", metavar="NAME=VALUE", help="The same.")] = None,
    as_name: Annotated[str, typer.Option("--name", help="What to call the fork.")] = "",
    steps: Annotated[int, typer.Option("--steps", help="Let it go on for so many steps.")] = 0,
    until: Annotated[str, typer.Option("--until", help='Stop early, such as "valid.accuracy >= 0.99".')] = "",
    program: Annotated[
        str, typer.Option("--program", metavar="FILE", help="Go by this program from there on: text, or encoded.")
    ] = "",
    author: Annotated[str, typer.Option("--author", help="Who forks, for the journal.")] = "you",
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Start a new run from any step of another. It copies nothing, and its parent stays as it is."""
    turned, goal = numbers([*(dials or []), *(dial or [])]), Goal.parse(until) if until else None
    parent = opened(name, file)
    at = step_of(step, parent.step)
    other = load_program(program) if program else None
    child = parent.fork(at, fresh(as_name or f"{parent.folder.name}-{at}"), turned, program=other, author=author)
    if steps:
        go_on(child, steps, goal, as_json)
        return
    by = " and goes on by another program" if other else ""
    words = f"[bold]{escape(child.folder.name)}[/] branches from {escape(parent.folder.name)} at step {at}{by}"
    hint = f"[dim]ontogeny resume {escape(child.folder.name)} --steps N lets it go on[/]"
    answer(document(child), as_json, lambda console: console.print(f"{words}\n{hint}", soft_wrap=True))
