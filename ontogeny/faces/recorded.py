"""A recorded loop as the shell shows it: what there is to say of a run that has values, but no program."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.told import told
from ontogeny.faces.terminal import amount, columns, number, size, table
from ontogeny.faces.view import View
from ontogeny.faces.words import journal
from ontogeny.record.attach import Attached
from ontogeny.record.attach.attached import TRACE

BESIDE = ("checkpoints", "cache")
"""What else may lie in the folder of a record."""


def everything(run: Attached) -> dict[str, Any]:
    """The record as a document; its metrics as columns."""
    tensors = [tensor.as_json() for tensor in run.traces.tensors.values()]
    return {
        "run": run.folder.name,
        "folder": str(run.folder),
        "attached": True,
        "step": run.step,
        "recorded_steps": len(run.traces.steps),
        "bytes": bytes_of(run),
        "parameters": sum(tensor.size for tensor in run.traces.tensors.values()),
        "tensors": tensors,
        "start": dict(run.start.content),
        "journal": [asdict(entry) for entry in run.entries],
        "columns": {column: values.tolist() for column, values in run.metrics().items()},
    }


def bytes_of(run: Attached, part: str = "") -> int:
    """What the record takes in its folder, or in one that lies there."""
    return sum(path.stat().st_size for path in (run.folder / part).rglob("*") if path.is_file())


def say(console: Console, run: Attached, count: int) -> None:
    """The same for a person."""
    start, steps, tensors = run.start, run.traces.steps, run.traces.tensors
    elements = sum(tensor.size for tensor in tensors.values())
    raw = len(steps) * sum(tensor.size * tensor.dtype.bytes for tensor in tensors.values())
    console.print(
        f"[bold]{escape(run.folder.name)}[/] at step {run.step}: the record of a loop, model "
        f"{escape(start['model'])}, {escape(start['optimizer']) or 'no optimizer'}, "
        f"{amount(elements)} elements of {len(tensors)} tensors",
        soft_wrap=True,
    )
    beside = "".join(f", {part} {size(taken)}" for part in BESIDE if (taken := bytes_of(run, part)))
    values = f"{len(steps)} steps recorded in {size(bytes_of(run, TRACE))} ({size(raw)} raw){beside}"
    console.print(f"{values}; {policy_of(start['policy'])}", soft_wrap=True)
    rows = latest(run, count)
    if rows:
        shown = columns(table("metrics"), rows[0])
        for row in rows:
            shown.add_row(*(number(value) if np.isfinite(value) else "" for value in row.values()))
        console.print(shown)
    console.print(journal(run.entries[-count:] if count else ()))


def view(run: Attached) -> View:
    """The record as pictures and pages need it."""
    start, found = run.start, told(run)
    about = {"model": start["model"], "optimizer": start["optimizer"] or None, "recorded": policy_of(start["policy"])}
    return View(
        name=run.folder.name,
        step=run.step,
        program=None,
        metrics=found.metrics,
        evaluations=tuple(found.evaluations),
        journal=run.entries,
        about={**about, **{name: f"{value:g}" for name, value in found.settings.items()}},
        branch=start["first"] if start["parent"] else None,
        tensors=tuple(run.traces.tensors.values()),
    )


def policy_of(policy: dict[str, Any]) -> str:
    """What is recorded, in words."""
    which = "every step" if policy["every"] == 1 else f"every {policy['every']} steps"
    only = f", only {', '.join(policy['only'])}" if policy["only"] else ""
    return f"{which}{only}, {'within ' + str(policy['error']) if policy['error'] else 'exact'}"


def latest(run: Attached, count: int) -> list[dict[str, float]]:
    """The metrics of the last so many steps, of which at least one is told there; NaN where the loop told nothing."""
    metrics = run.metrics()
    total = len(metrics["step"])
    shown = {name: values[max(0, total - count) :] for name, values in metrics.items() if count}
    said = {name: values for name, values in shown.items() if not np.isnan(values).all()}
    return [{name: float(values[at]) for name, values in said.items()} for at in range(min(count, total))]


def present(run: Attached) -> dict[str, float]:
    """What the loop told last of each metric, the losses first."""
    metrics = {name: v[~np.isnan(v)] for name, v in run.metrics().items() if name != "step"}
    names = sorted(metrics, key=lambda name: not name.startswith("loss"))
    return {name: float(metrics[name][-1]) for name in names if len(metrics[name])}
