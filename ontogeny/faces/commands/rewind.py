"""ontogeny rewind"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.numbers import step_of
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, RunName, opened
from ontogeny.faces.terminal import AsJson, answer, number, table
from ontogeny.machine.base import value_of
from ontogeny.machine.learner import Array
from ontogeny.record.recorded import Recorded


def command(
    name: RunName,
    step: Annotated[str, typer.Argument(help="A step, `last`, or -10 for ten before the last.")],
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Look at a run's state as it was at a step. Nothing is changed: fork goes on from there."""
    run = opened(name, file)
    at = step_of(step, run.step)
    with Busy(f"replaying {run.folder.name} to step {at}", as_json):
        rows = [moments(name, array) for name, array in parameters(run, at).items()]
    columns = run.metrics(at, at) if at else {}
    measured = {name: float(values[0]) for name, values in columns.items() if name != "step" and len(values)}
    document = {"run": run.folder.name, "step": at, "hash": run.hash(at), "dials": run.dials(at), "metrics": measured}
    answer({**document, "parameters": rows}, as_json, lambda console: say(console, document, rows))


def parameters(run: Recorded, step: int) -> dict[str, Array]:
    """The parameters of a step by the names that a person knows them by."""
    state = run.state(step)
    declared = run.as_of(step).program.named_params()
    return {decl.name: value_of(decl, state) for decl in declared}


def moments(name: str, array: Array) -> dict[str, Any]:
    """A parameter in a few numbers."""
    values = array.astype(np.float64) if array.size else np.zeros(1)
    return {
        "name": name,
        "shape": list(array.shape),
        "mean": float(values.mean()),
        "std": float(values.std()),
        "min": float(values.min()),
        "max": float(values.max()),
        "norm": float(np.linalg.norm(values)),
    }


def say(console: Console, document: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """The state for a person."""
    measured = "  ".join(f"{escape(name)} [bold]{number(value)}[/]" for name, value in document["metrics"].items())
    console.print(f"[bold]{escape(document['run'])}[/] at step {document['step']}  {measured}")
    console.print("dials  " + "  ".join(f"{escape(dial)} {value:g}" for dial, value in document["dials"].items()))
    shown = table("", parameter="left", shape="left", mean="right", std="right", min="right", max="right", norm="right")
    for row in rows:
        figures = [number(row[column]) for column in ("mean", "std", "min", "max", "norm")]
        shown.add_row(escape(row["name"]), "x".join(map(str, row["shape"])), *figures)
    console.print(shown)
    console.print(f"[dim]hash {document['hash']}[/]")
