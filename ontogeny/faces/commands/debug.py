"""ontogeny debug"""

from __future__ import annotations

from io import StringIO
from typing import Annotated, Any

import typer

from ontogeny.faces.debugger_shell import Shell
from ontogeny.faces.sources import DataFile, RunName, opened
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.debug import RunDebugger


def command(
    run: RunName,
    step: Annotated[
        int | None, typer.Option("--step", min=0, help="Begin at this step; the last one taken if not said.")
    ] = None,
    do: Annotated[list[str] | None, typer.Option("--do", help="Do this instead of asking; may be repeated.")] = None,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Step through a run, instruction by instruction, forwards and back.

    Nothing is written to the run. Type help at the prompt. With --do or --json nothing is asked.
    """
    with opened(run, file) as found:
        if step is not None and step > found.step:
            raise OntogenyError(f"step {step} is not recorded; there are steps 0 to {found.step}")
        debugger = RunDebugger(found, step)
        if not do and not as_json:
            Shell(debugger).cmdloop()
            return
        said = [asked(debugger, line) for line in do or []]
        document = {"run": found.folder.name, **place(debugger), "said": said}
        answer(document, as_json, lambda _: typer.echo("\n".join(one["answer"] for one in said if one["answer"])))


def asked(debugger: RunDebugger, line: str) -> dict[str, str]:
    """What the prompt would say to one line."""
    said = StringIO()
    Shell(debugger, stdout=said).onecmd(line)
    return {"command": line, "answer": said.getvalue().rstrip("\n")}


def place(debugger: RunDebugger) -> dict[str, Any]:
    """Where a debugger stands; at the end of a step no instruction comes next."""
    routine, lines = debugger.debugger.listing(0)
    current = next((line for line in lines if line.current), None)
    return {
        "step": debugger.step_number,
        "routine": routine.name,
        "instruction": current.number if current else None,
        "text": current.text if current else "",
        "where": current.where if current else "",
    }
