"""ontogeny live"""

from __future__ import annotations

from typing import Annotated

import typer

from ontogeny.faces.live_status import say
from ontogeny.faces.sources import DataFile, RunName, find, opened, recording
from ontogeny.faces.terminal import AsJson, answer
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
