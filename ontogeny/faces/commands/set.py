"""ontogeny set"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from ontogeny.faces.generated import say_preview, session_at
from ontogeny.faces.numbers import numbers
from ontogeny.faces.sources import DataFile, RunName
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.steer.registry import command as given


def command(
    name: RunName,
    dials: Annotated[list[str], typer.Argument(metavar="DIAL=VALUE...", help="Dials and their new values.")],
    over: Annotated[int, typer.Option("--over", min=0, help="Get there over so many steps; 0 for at once.")] = 0,
    shape: Annotated[str, typer.Option("--shape", help="How, with --over: linear, cosine or exponential.")] = "linear",
    author: Annotated[str, typer.Option("--author", help="Who turns them, for the journal.")] = "you",
    file: DataFile = "",
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn a dial of a run from its present step on.

    The journal keeps it, and what was before stays as it was. To turn a dial in the past, fork there. A run that is
    live takes it between two steps, and so does a loop that is steerable.
    """
    turned = numbers(dials)
    session = session_at(name, file, author)
    asked = [given("set", {"dial": dial, "to": to, "over": over, "shape": shape}) for dial, to in turned.items()]
    foretold = [session.foretell(one) for one in asked]  # all or none
    if dry:
        text = "; ".join(one.text for one in foretold)
        whole = foretold[0].model_copy(update={"text": text})
        return answer(whole.model_dump(mode="json"), as_json, lambda console: say_preview(console, whole))
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
