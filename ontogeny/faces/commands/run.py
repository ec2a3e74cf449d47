"""ontogeny run"""

from __future__ import annotations

from typing import Annotated

import typer

from ontogeny.faces.experiments import pairs
from ontogeny.faces.numbers import numbers, size_of
from ontogeny.faces.running import go_on
from ontogeny.faces.sources import begun
from ontogeny.faces.terminal import AsJson
from ontogeny.record.experiment import Goal
from ontogeny.steer.conditions import Condition


def command(
    file: Annotated[str, typer.Argument(help="A Python file with a function experiment() that returns an Experiment.")],
    options: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Its options.")] = None,
    steps: Annotated[int, typer.Option("--steps", help="How many steps to take.")] = 1000,
    name: Annotated[str, typer.Option("--name", help="What to call the run; else as the file.")] = "",
    dial: Annotated[list[str] | None, typer.Option("--dial", metavar="NAME=VALUE", help="A dial at the start.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Instead of the experiment's own.")] = None,
    until: Annotated[str, typer.Option("--until", help='Stop early, such as "valid.accuracy >= 0.99".')] = "",
    machine: Annotated[str, typer.Option("--machine", help="compiled or reference.")] = "compiled",
    mode: Annotated[str, typer.Option("--mode", help="Of the compiled machine: exact, portable or fast.")] = "",
    keyframe_every: Annotated[
        int | None, typer.Option("--keyframe-every", min=1, help="Steps between keyframes; else chosen by measuring.")
    ] = None,
    keyframe_bytes: Annotated[
        str, typer.Option("--keyframe-bytes", help="Thin keyframes past so many bytes, such as 500M; else past 2G.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Start a run of the experiment that a Python file describes."""
    goal = Goal.parse(until) if until else None
    turned = numbers(dial or [])
    made, own = begun(
        file,
        pairs(options or []),
        name,
        seed,
        turned,
        machine=machine,
        options={"mode": mode} if mode else None,
        keyframe_every=keyframe_every,
        keyframe_bytes=size_of(keyframe_bytes) if keyframe_bytes else None,
    )
    goal = goal or own
    go_on(made, steps, Condition(str(goal), goal.met) if goal else None, as_json)
