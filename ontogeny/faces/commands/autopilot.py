"""ontogeny autopilot"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.foretelling import foretell
from ontogeny.faces.generated import session_at
from ontogeny.faces.sources import Author, DataFile, Dry, RunName
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.steer.command import Outcome
from ontogeny.steer.registry import command as command_of


def command(
    name: RunName,
    budget: Annotated[
        str, typer.Option("--budget", help="Steps of all forks together: 3x, three times the run's own, or a number.")
    ] = "3x",
    goal: Annotated[str, typer.Option("--goal", help="What to reach, such as 'valid.accuracy >= 0.99'.")] = "",
    steps: Annotated[int, typer.Option("--steps", help="Steps that the run would take; by default what it has.")] = 0,
    never: Annotated[
        str, typer.Option("--never", help="What stays as it is: data, rule, parameters, a command, a dial; by commas.")
    ] = "",
    workers: Annotated[int, typer.Option("--workers", help="Trials at once, in processes of their own.")] = 1,
    ray: Annotated[str, typer.Option("--ray", help="A Ray cluster for the trials, by its URL.")] = "",
    author: Author = "you",
    file: DataFile = "",
    dry: Dry = False,
    as_json: AsJson = False,
) -> None:
    """Look after a run: find its faults, try remedies on forks, keep what is better, and report.

    The run itself is never changed. Every line of the reasoning is shown as it is written into the journal. Ctrl-C
    breaks it off, and the same again goes on from there; a command of yours on the run overrules it.
    """
    session = session_at(name, file, author)
    given = {"budget": budget, "goal": goal, "steps": steps, "never": never, "workers": workers, "ray": ray}
    asked = command_of("autopilot", given)
    if dry:
        return foretell(session, [asked], as_json)
    beside = Console(stderr=True, highlight=False)
    if not as_json:
        session.told = lambda text: beside.print(f"[dim]{escape(text)}[/]", soft_wrap=True)
    outcome = session.do(asked)
    answer(outcome.model_dump(mode="json"), as_json, lambda console: say(console, outcome))


def say(console: Console, outcome: Outcome) -> None:
    """The report, without the lines that were shown on the way."""
    console.print(escape(outcome.text.split("\n\n")[0]), soft_wrap=True)
