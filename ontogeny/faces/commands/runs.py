"""ontogeny runs"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.live_status import say as say_status
from ontogeny.faces.recorded import present
from ontogeny.faces.running import document
from ontogeny.faces.sources import all_runs, runs_folder
from ontogeny.faces.terminal import AsJson, answer, number, table
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.attach import Attached, is_attached
from ontogeny.record.run import open_run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.live.client import live_runs


def command(
    live: Annotated[bool, typer.Option("--live", help="Only those that go on in a process of their own.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the runs."""
    if live:
        found = list(live_runs(RunsFolder.default()))
        return answer({"folder": str(runs_folder()), "runs": found}, as_json, lambda console: say_live(console, found))
    rows = [described(folder) for folder in all_runs()]
    answer({"folder": str(runs_folder()), "runs": rows}, as_json, lambda console: say(console, rows))


def described(folder: Path) -> dict[str, Any]:
    """A run in a few values; of one that cannot be read, why."""
    try:
        if is_attached(folder):
            found = Attached(folder)
            metrics = present(found)
            return {"run": folder.name, "folder": str(folder), "step": found.step, "metrics": metrics, "attached": True}
        run = open_run(folder)
        forked = {"parent": run.parent.name, "branch": run.base} if run.parent else {}
        changed = {} if run.changed is None else {"program_changed_at": run.changed}
        return {**document(run), "program": run.program.name, **forked, **changed}
    except OntogenyError as error:
        return {"run": folder.name, "folder": str(folder), "error": str(error)}


def say_live(console: Console, rows: list[dict[str, Any]]) -> None:
    """The live runs for a person."""
    for row in rows:
        say_status(console, row)
    if not rows:
        console.print("no run is live; `ontogeny live RUN` makes one so")


def say(console: Console, rows: list[dict[str, Any]]) -> None:
    """The list for a person."""
    if not rows:
        console.print(f"no runs in {escape(str(runs_folder()))}/; `ontogeny run FILE.py` makes one")
        return
    shown = table("", run="left", step="right", measured="left", forked="left")
    for row in rows:
        measured = "  ".join(f"{name} {number(value)}" for name, value in list(row.get("metrics", {}).items())[:4])
        forked = f"from {row['parent']} at {row['branch']}" if "parent" in row else ""
        forked += f", program since {row['program_changed_at']}" if "program_changed_at" in row else ""
        what = escape(measured) if "error" not in row else f"[red]{escape(row['error'])}[/]"
        shown.add_row(escape(row["run"]), str(row.get("step", "")), what, escape(forked))
    console.print(shown)
