"""ontogeny disasm"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.sources import load_any
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.program import Program
from ontogeny.isa.text import to_text


def command(
    source: Annotated[str, typer.Argument(help="An encoded program, a run, or a Python file with an experiment.")],
    routine: Annotated[str, typer.Option("--routine", help="Only this routine.")] = "",
    output: Annotated[str, typer.Option(*SPELT, help="Where to write; else the standard output.")] = "",
    as_json: AsJson = False,
) -> None:
    """Turn an encoded program, or the program of a run, into text."""
    program = load_any(source)
    text = of_routine(program, routine) if routine else to_text(program)
    if output:
        place(output, "").write_text(text, encoding="utf-8")

    def say(console: Console) -> None:
        typer.echo(f"{output} written" if output else text)

    answer({"program": program.name, "text": text}, as_json, say)


def of_routine(program: Program, name: str) -> str:
    """The text of one routine alone."""
    if not program.has(name):
        names = ", ".join(routine.name for routine in program.routines) or "none"
        raise OntogenyError(f"program {program.name!r} has no routine {name!r}; there are {names}")
    routine = program.routine(name)
    return to_text(Program(program.name, program.decls, (routine,))).split("\n\n", 1)[-1]
