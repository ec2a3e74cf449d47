"""ontogeny fmt"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.programs import parse, read_text
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.isa.text import format_text


def command(
    files: Annotated[list[str], typer.Argument(help="Program texts (.onto); - reads the standard input.")],
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where a file would change.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write program text in its one canonical form."""
    changed = [file for file in files if formatted(file, check)]

    def say(console: Console) -> None:
        for file in changed:
            if file != "-":
                console.print(f"{escape(file)} {'would change' if check else 'formatted'}")

    answer({"changed": changed}, as_json and files != ["-"], say)
    if check and changed:
        raise typer.Exit(1)


def formatted(file: str, check: bool) -> bool:
    """Format one file, unless it is only checked; whether it was not canonical before."""
    text = read_text(file)
    parse(text, file)
    canonical = format_text(text)
    if file == "-" and not check:
        typer.echo(canonical, nl=False)
    elif canonical != text and not check:
        Path(file).write_text(canonical, encoding="utf-8")
    return canonical != text
