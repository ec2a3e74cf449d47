"""ontogeny live"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.sources import DataFile, RunName, find, opened, recording
from ontogeny.faces.terminal import AsJson, answer, number
from ontogeny.steer.live.launch import serve, start


def command(
    name: RunName,
    paused: Annotated[bool, typer.Option("--paused", help="Let it wait for the first command.")] = False,
    file: DataFile = "",
    serving: Annotated[bool, typer.Option("--serve", hidden=True)] = False,
    as_json: AsJson = False,
) -> None:
    """Let a run go on in a process of its own that takes commands between steps.

    It survives this terminal. `ontogeny pause`, `set`, `back`... and the chat reach it by the run's name, and
    `ontogeny stop` ends it.
    """
    folder = find(name)
    if serving:
        return serve(folder, open=lambda one: recording(str(one), file), going=not paused)
    opened(name, file)  # says what is wrong here, rather than in a log
    words = ["live", str(folder.resolve()), "--serve", *(["--paused"] if paused else [])]
    with start(folder, [*words, *(["--file", file] if file else [])]) as client:
        status = client.status()
    answer(status, as_json, lambda console: say(console, status))


def say(console: Console, status: dict[str, Any]) -> None:
    """How a live run stands, on one line."""
    metrics = "  ".join(f"{escape(name)} [bold]{number(value)}[/]" for name, value in status["metrics"].items())
    goal = f", on its way to {status['goal']}" if status["goal"] else ""
    about = f"step {status['step']}, {status['state']}{goal} [dim](process {status['process']})[/]"
    console.print(f"[bold]{escape(status['run'])}[/] {about}  {metrics}", soft_wrap=True)
    if status["trouble"]:
        console.print(f"[red]{escape(status['trouble'])}[/]", soft_wrap=True)
