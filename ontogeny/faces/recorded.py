"""A recorded loop as the shell shows it: what there is to say of a run that has values, but no program."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.terminal import amount, number, size, table
from ontogeny.faces.words import journal
from ontogeny.record.attach import Attached


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


def bytes_of(run: Attached) -> int:
    """All that the record takes in its folder."""
    return sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file())


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
    console.print(
        f"{len(steps)} steps recorded in {size(bytes_of(run))} ({size(raw)} raw); {policy_of(start['policy'])}"
    )
    rows = latest(run, count)
    if rows:
        shown = table("metrics", **dict.fromkeys(rows[0], "right"))
        for row in rows:
            shown.add_row(*(number(value) if np.isfinite(value) else "" for value in row.values()))
        console.print(shown)
    console.print(journal(run.entries[-count:] if count else ()))


def policy_of(policy: dict[str, Any]) -> str:
    """What is recorded, in words."""
    which = "every step" if policy["every"] == 1 else f"every {policy['every']} steps"
    only = f", only {', '.join(policy['only'])}" if policy["only"] else ""
    return f"{which}{only}, {'within ' + str(policy['error']) if policy['error'] else 'exact'}"


def latest(run: Attached, count: int) -> list[dict[str, float]]:
    """The metrics of the last so many steps, of which at least one is told there; NaN where the loop told nothing."""
    columns = run.metrics()
    total = len(columns["step"])
    shown = {name: values[max(0, total - count) :] for name, values in columns.items() if count}
    told = {name: values for name, values in shown.items() if not np.isnan(values).all()}
    return [{name: float(values[at]) for name, values in told.items()} for at in range(min(count, total))]


def present(run: Attached) -> dict[str, float]:
    """What the loop told last of each metric, the losses first."""
    columns = {name: v[~np.isnan(v)] for name, v in run.metrics().items() if name != "step"}
    names = sorted(columns, key=lambda name: not name.startswith("loss"))
    return {name: float(columns[name][-1]) for name in names if len(columns[name])}
