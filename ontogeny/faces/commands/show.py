"""ontogeny show"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces import recorded
from ontogeny.faces.running import document
from ontogeny.faces.sources import RunName, recording
from ontogeny.faces.terminal import AsJson, amount, answer, columns, number, size, table
from ontogeny.faces.words import journal
from ontogeny.record.attach import Attached
from ontogeny.record.kept import Kept
from ontogeny.record.run import Run


def command(
    name: RunName,
    count: Annotated[int, typer.Option("--last", min=0, help="So many evaluations and entries.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show one run: its journal, its metrics, what it was made with."""
    run = recording(name)
    if isinstance(run, Attached):
        answer(recorded.everything(run), as_json, lambda console: recorded.say(console, run, count))
    else:
        answer(everything(run), as_json, lambda console: say(console, run, count))


def everything(run: Run) -> dict[str, Any]:
    """The run as a document; its metrics as columns."""
    return {
        **document(run),
        "program": run.program.name,
        "program_changed_at": run.changed,
        "base": run.base,
        "parameters": sum(decl.type.size for decl in run.program.named_params()),
        "start": dict(run.start.content),
        "keyframes": asdict(run.keyframes()),
        "journal": [asdict(entry) for entry in run.entries],
        "evaluations": run.evaluations(),
        "columns": {column: values.tolist() for column, values in run.metrics().items()},
    }


def keeping(kept: Kept) -> str:
    """What the keyframes take, and how long the worst rewind takes."""
    count = f"{kept.count} keyframe{'' if kept.count == 1 else 's'} of {size(kept.bytes)}"
    spacing = f", {kept.spacing} steps apart" if kept.spacing else ""
    share = f" with {100 * kept.recording_share:.2g}% of the time for recording" if kept.recording_share else ""
    seconds = f", {kept.worst_seconds:.2g} s" if kept.worst_seconds is not None else ""
    return f"{count}{spacing}{share}; the worst rewind replays {kept.worst_steps} steps{seconds}"


def say(console: Console, run: Run, count: int) -> None:
    """The same for a person."""
    size = amount(sum(decl.type.size for decl in run.program.named_params()))
    start, since = run.start, "" if run.changed is None else f" since step {run.changed}"
    console.print(
        f"[bold]{escape(run.folder.name)}[/] at step {run.step}: program {escape(run.program.name)}{since}, "
        f"{size} parameters, seed {start['seed']}, machine {escape(start['machine'])} "
        f"{escape(str(start['options'].get('mode', '')))}",
        soft_wrap=True,
    )
    console.print("dials  " + "  ".join(f"{escape(dial)} {value:g}" for dial, value in run.dials().items()))
    console.print(f"{keeping(run.keyframes())}", soft_wrap=True)
    rows = run.evaluations()[-count:] if count else []
    if rows:
        shown = columns(table("evaluations"), rows[0])
        for row in rows:
            shown.add_row(*(number(value) for value in row.values()))
        console.print(shown)
    console.print(journal(run.entries[-count:] if count else ()))
    console.print(f"[dim]hash {run.hash()}[/]")
