"""ontogeny resume"""

from __future__ import annotations

from typing import Annotated

import typer

from ontogeny.faces.generated import say
from ontogeny.faces.running import go_on
from ontogeny.faces.sources import DataFile, RunName, find, opened
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.record.experiment import Goal
from ontogeny.steer.live.client import check_not_left
from ontogeny.steer.live.client import find as client_of
from ontogeny.steer.registry import command as given

MOST = 1000


def command(
    name: RunName,
    options: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Options of the file, with --file.")
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="How many more steps to take; 1000.")] = None,
    until: Annotated[str, typer.Option("--until", help='Stop early, such as "valid.accuracy >= 0.99".')] = "",
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Let a run go on from where it is.

    A run that is live goes on in its own process, without end unless steps or a goal are given.
    """
    folder = find(name)
    if (client := client_of(folder)) is not None:
        asked = {"steps": steps, "until": until} if steps or until else {}
        with client:
            outcome = client.do(given("run" if asked else "resume", {k: v for k, v in asked.items() if v}))
        return answer(outcome.model_dump(mode="json"), as_json, lambda console: say(console, outcome))
    check_not_left(folder, "resume")
    goal = Goal.parse(until) if until else None
    go_on(opened(name, file, options or ()), MOST if steps is None else steps, goal, as_json)
