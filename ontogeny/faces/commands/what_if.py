"""ontogeny what-if"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.alternative import Alternative, alternative, kept
from ontogeny.ask.estimate import Estimate, estimate
from ontogeny.ask.what_if import Prediction, WhatIf, followed
from ontogeny.data.without import written
from ontogeny.faces.numbers import numbers, step_of
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, RunName, fresh, opened
from ontogeny.faces.terminal import AsJson, answer, duration, number, table, tell
from ontogeny.record.run import Run

ROWS = 12


def command(
    name: RunName,
    dial: Annotated[list[str] | None, typer.Option("--dial", help="A dial turned, such as lr=0.01.")] = None,
    without: Annotated[str, typer.Option("--without", help="Examples left out, such as 3,17,40:60.")] = "",
    undo: Annotated[int | None, typer.Option("--undo", help="Without what the journal says at this state.")] = None,
    start: Annotated[str, typer.Option("--from", help="From the step at this state on: a number, or -10.")] = "0",
    steps: Annotated[int, typer.Option("--steps", min=0, help="Follow it for so many steps; 0 for all.")] = 0,
    estimated: Annotated[bool, typer.Option("--estimate", help="Also what first-order formulas say.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what the answer costs.")] = False,
    as_name: Annotated[str, typer.Option("--name", help="Also keep it, as a run of this name.")] = "",
    count: Annotated[int, typer.Option("--top", min=0, help="So many of the elements that moved most.")] = 10,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Replay a run with a dial turned or examples left out: what would have come of it.

    The answer is computed, not estimated, and nothing is written unless --name is given. Leaving examples out keeps all
    batches as they were, minus those rows.
    """
    run = opened(name, file)
    other = alternative(run, numbers(dial or []), without, step_of(start, run.step), steps or None, undo)
    document: dict[str, Any] = {"run": run.folder.name, **asked(other)}
    if dry:
        answer(document, as_json, lambda console: console.print(price(other), soft_wrap=True))
        return
    tell(f"[dim]{price(other)}[/]")
    with Busy("replaying both sides", as_json):
        found = followed(run, other, count)
        formulas = estimate(run, other) if estimated else ()
    document |= answered(found) | {"estimates": [{**asdict(one), "error": one.error} for one in formulas]}
    if as_name:
        document["kept"] = keep(run, other, as_name)
    answer(document, as_json, lambda console: say(console, found, formulas, document.get("kept", "")))


def keep(run: Run, other: Alternative, name: str) -> str:
    """The alternative as a run; its name."""
    with kept(run, other, fresh(name)) as child:
        return child.folder.name


def price(other: Alternative) -> str:
    """What the answer costs, and what else to know before."""
    cost = other.cost
    parts = [f"{cost.steps} steps of {duration(cost.step_seconds)} ({cost.measured})"]
    if cost.evaluations:
        parts.append(f"{cost.evaluations} evaluations of about {duration(cost.evaluation_seconds)}")
    span = f"the same up to state {other.first}, followed to {other.last}"
    smaller = f"; {len(other.touched)} batches are smaller" if other.without else ""
    remarks = "".join(f"\nnote: {remark}" for remark in other.remarks)
    return f"{span}{smaller}: replays {' and '.join(parts)}, about {duration(cost.seconds)}{remarks}"


def asked(other: Alternative) -> dict[str, Any]:
    """The question and its cost as a document."""
    return {
        "dials": dict(other.dials),
        "without": written(other.without),
        "undone": other.undone,
        "first": other.first,
        "last": other.last,
        "steps_touched": len(other.touched),
        "steps_left_empty": list(other.empty),
        "cost": {**asdict(other.cost), "seconds": other.cost.seconds},
        "remarks": list(other.remarks),
    }


def answered(found: WhatIf) -> dict[str, Any]:
    """The answer as a document."""
    metrics = {name: {"actual": both[0].tolist(), "other": both[1].tolist()} for name, both in found.metrics.items()}
    evaluations = [
        {"step": step, **{name: asdict(both) for name, both in row.items()}} for step, row in found.evaluations.items()
    ]
    tensors = [
        {"name": one.name, "elements": one.elements, "relative": one.relative, "distance": one.distance.tolist()}
        for one in found.tensors
    ]
    return {
        "steps": found.steps.tolist(),
        "metrics": metrics,
        "evaluations": evaluations,
        "tensors": tensors,
        "moved": [asdict(one) for one in found.moved],
        "predictions": [asdict(one) for one in found.predictions],
        "hash": found.hash,
    }


def say(console: Console, found: WhatIf, formulas: tuple[Estimate, ...], name: str) -> None:
    """The tables for a person."""
    console.print(_metrics(found))
    if found.evaluations:
        console.print(_evaluations(found))
    far = table("how far the parameters are, by tensor", tensor="left", distance="right", of_its_norm="right")
    for one in sorted(found.tensors, key=lambda one: -one.relative):
        far.add_row(escape(one.name), number(float(one.distance[-1])), f"{one.relative:.2%}")
    console.print(far)
    if found.moved:
        moved = table("the elements that moved most", element="left", was="right", would_be="right")
        for element in found.moved:
            moved.add_row(escape(element.element), number(element.actual), number(element.other))
        console.print(moved)
    for result in found.predictions:
        console.print(_prediction(result), soft_wrap=True)
    for formula in formulas:
        words = f"{number(formula.predicted)} predicted, {number(formula.exact)} exact: off by {formula.error:.0%}"
        console.print(f"validation loss by first-order formula, {formula.formula}: {words}", soft_wrap=True)
    kept = f"; kept as {escape(name)}" if name else ""
    console.print(f"[dim]hash {found.hash} at state {found.steps[-1]}{kept}[/]", soft_wrap=True)


def _prediction(one: Prediction) -> str:
    changed = "" if one.changed is None else f"{one.changed} of {one.examples} have another largest score; "
    words = f"elements differ by {number(one.mean)} in the mean, {number(one.largest)} at most"
    return f"prediction {escape(one.name)} on the validation inputs: {changed}{words}"


def _metrics(found: WhatIf) -> object:
    """Some of the steps, evenly spaced, the last one among them."""
    shown = table("learning: was, would be", step="right", **dict.fromkeys(found.metrics, "right"))
    for at in np.unique(np.linspace(0, len(found.steps) - 1, ROWS).astype(int)):
        pairs = (f"{number(both[0, at])}  {number(both[1, at])}" for both in found.metrics.values())
        shown.add_row(str(found.steps[at]), *pairs)
    return shown


def _evaluations(found: WhatIf) -> object:
    steps = list(found.evaluations)
    names = list(found.evaluations[steps[0]])
    shown = table("evaluations: was, would be", step="right", **dict.fromkeys(names, "right"))
    for at in np.unique(np.linspace(0, len(steps) - 1, ROWS).astype(int)):
        row = found.evaluations[steps[at]]
        shown.add_row(str(steps[at]), *(f"{number(row[n].actual)}  {number(row[n].other)}" for n in names))
    return shown
