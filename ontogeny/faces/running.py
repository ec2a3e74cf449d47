"""Letting a run go on from the shell: progress while it does, and in the end what there is to say about it."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.progress import Live
from ontogeny.faces.terminal import answer, number, tell
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed
from ontogeny.record.run import Run, Stop
from ontogeny.steer.conditions import Condition

INTERRUPTED = 130


def check_steps(steps: int) -> None:
    """Raises OntogenyError for a number of steps that cannot be taken."""
    if steps < 0:
        raise OntogenyError(f"{steps} steps cannot be taken; give 0 or more")


def go_on(run: Run, steps: int, until: Condition | None, as_json: bool) -> None:
    """Take steps and tell what came of it. Ctrl-C leaves the run at the step it has reached, to be resumed."""
    check_steps(steps)
    first = run.step
    try:
        with run, Live(first + steps, first, quiet=as_json) as live:
            stop = run.advance(steps, until=until.holds if until else None, on_step=live.step)
    except KeyboardInterrupt:
        left = first + steps - run.step
        tell(f"stopped at step {run.step}; `{escape(typed('resume', run.folder.name, '--steps', str(left)))}` goes on")
        raise typer.Exit(INTERRUPTED) from None
    reason = f"{until} holds" if until and stop is Stop.CONDITION else stop.value
    answer(document(run, reason), as_json, lambda console: say(console, run, reason))


def document(run: Run, reason: str = "") -> dict[str, Any]:
    """A run in a few values."""
    found = {"run": run.folder.name, "folder": str(run.folder), "step": run.step, "hash": run.hash()}
    stopped = {"stopped": reason} if reason else {}
    return {**found, "metrics": run.latest(), **evaluated(run), "dials": run.dials(), **stopped}


def evaluated(run: Run) -> dict[str, int]:
    """`evaluated_at`, the step whose state the held-out metrics are of, where that is not the present one."""
    last = run.history.last_evaluation()
    return {"evaluated_at": int(last["step"])} if last and last["step"] != run.step else {}


def say(console: Console, run: Run, reason: str) -> None:
    """The same for a person."""
    measured = "  ".join(f"{escape(name)} [bold]{number(value)}[/]" for name, value in run.latest().items())
    console.print(f"[bold]{escape(run.folder.name)}[/] at step {run.step}: {escape(reason)}", soft_wrap=True)
    for step in evaluated(run).values():
        measured += f"  [dim]valid.* as of step {step}[/]"
    if measured:
        console.print(measured, soft_wrap=True)
    console.print(f"[dim]{escape(str(run.folder))}  hash {run.hash()}[/]", soft_wrap=True)
