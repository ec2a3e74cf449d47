"""ontogeny set"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from ontogeny.faces.foretelling import foretell
from ontogeny.faces.generated import session_at
from ontogeny.faces.numbers import numbers
from ontogeny.faces.sources import DataFile, Dry, RunName
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command
from ontogeny.steer.registry import command as given


def command(
    name: RunName,
    dials: Annotated[
        list[str], typer.Argument(metavar="DIAL=VALUE...", help="Dials and new values; with --by dials alone.")
    ],
    by: Annotated[float | None, typer.Option("--by", help="A factor on what they are: 0.5 halves them.")] = None,
    over: Annotated[int, typer.Option("--over", min=0, help="Get there over so many steps; 0 for at once.")] = 0,
    shape: Annotated[str, typer.Option("--shape", help="How, with --over: linear, cosine or exponential.")] = "linear",
    author: Annotated[str, typer.Option("--author", help="Who turns them, for the journal.")] = "you",
    file: DataFile = "",
    dry: Dry = False,
    as_json: AsJson = False,
) -> None:
    """Turn a dial of a run from its present step on.

    The journal keeps it, and what was before stays as it was. To turn a dial in the past, fork there. A run that is
    live takes it between two steps, and so does a loop that is steerable.
    """
    asked = turned(dials, by, {"over": over, "shape": shape})
    session = session_at(name, file, author)
    if dry:
        return foretell(session, asked, as_json)
    for one in asked:  # all or none
        session.foretell(one)
    outcomes = [session.do(one) for one in asked]
    last = outcomes[-1]
    figures = [outcome.figures for outcome in outcomes if outcome.figures]
    document = {
        "run": last.run,
        "step": last.step,
        "dials": {one["dial"]: one["after"] for one in figures},
        "before": {one["dial"]: one["before"] for one in figures},
        "over": over,
        "reached": (last.step or 0) + over,
    }
    lines = [escape(outcome.text) for outcome in outcomes]
    answer(document, as_json, lambda console: console.print("\n".join(lines)))


def turned(dials: Sequence[str], by: float | None, how: Mapping[str, Any]) -> list[Command]:
    """The commands that turn dials, to values or all by a factor. Raises OntogenyError for words of the other kind."""
    if by is None:
        return [given("set", {"dial": dial, "to": to, **how}) for dial, to in numbers(dials).items()]
    if valued := [word for word in dials if "=" in word]:
        raise OntogenyError(f"{valued[0]} gives a value, and --by a factor on the present one; give one of them")
    return [given("set", {"dial": dial, "by": by, **how}) for dial in dials]
