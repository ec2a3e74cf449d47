"""ontogeny resume"""

from __future__ import annotations

from typing import Annotated

import typer

from ontogeny.faces.foretelling import foretell, tell
from ontogeny.faces.generated import say, session_at
from ontogeny.faces.running import go_on
from ontogeny.faces.sources import DataFile, Dry, RunName, find, opened
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.conditions import condition
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
    until: Annotated[
        str, typer.Option("--until", help='Stop early: "valid.accuracy >= 0.99", "norm(out.weight) > 10", generalised.')
    ] = "",
    author: Annotated[str, typer.Option("--author", help="Who asks, for the journal of a live run.")] = "you",
    file: DataFile = "",
    dry: Dry = False,
    as_json: AsJson = False,
) -> None:
    """Let a run go on from where it is.

    A run that is live goes on in its own process, without end unless steps or a goal are given.
    """
    folder = find(name)
    asked = {**({"steps": steps} if steps else {}), **({"until": until} if until else {})}
    if (client := client_of(folder)) is not None:
        check_some(steps)
        live = given("run" if asked else "resume", asked)
        with client:
            if dry:
                return tell([client.foretell(live)], as_json)
            outcome = client.do(live, author)
        return answer(outcome.model_dump(mode="json"), as_json, lambda console: say(console, outcome))
    check_not_left(folder, "resume")
    if dry:
        check_some(steps)
        session = session_at(name, file, author, options or ())
        return foretell(session, [given("run", {"steps": MOST, **asked})], as_json)
    run = opened(name, file, options or ())
    go_on(run, MOST if steps is None else steps, condition(run, until) if until else None, as_json)


def check_some(steps: int | None) -> None:
    """Raises OntogenyError for no step at all, which a command takes for as many as it likes."""
    if steps == 0:
        raise OntogenyError("0 steps are none to take; give --steps 1 or more, or leave it out")
