"""ontogeny check"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.sources import load_any
from ontogeny.faces.terminal import AsJson, amount, answer, size
from ontogeny.isa.program import Program


def command(
    source: Annotated[str, typer.Argument(help="A program (.onto, .ontob), a run, or a Python file.")],
    as_json: AsJson = False,
) -> None:
    """Say whether a program is well formed, and what it holds."""
    program = load_any(source)
    found = summary(program)

    def say(console: Console) -> None:
        console.print(f"[green]well formed[/]  program [bold]{escape(program.name)}[/]")
        console.print(
            f"{amount(found['parameters'])} parameters in {found['tensors']} tensors, {size(found['bytes'])} kept"
        )
        for name, lines in found["routines"].items():
            console.print(f"routine {escape(name)}: {lines} instructions")

    answer({"ok": True, **found}, as_json, say)


def summary(program: Program) -> dict[str, Any]:
    """What a program holds, counted."""
    named = list(program.named_params())
    return {
        "program": program.name,
        "parameters": sum(decl.type.size for decl in named),
        "tensors": len(named),
        "bytes": sum(decl.type.bytes for decl in program.kept()),
        "dials": {decl.name: decl.default for decl in program.of("dial")},
        "inputs": {decl.name: str(decl.type) for decl in program.of("input")},
        "routines": {routine.name: len(routine.body) for routine in program.routines},
    }
