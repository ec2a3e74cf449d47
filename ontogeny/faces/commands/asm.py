"""ontogeny asm"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.programs import parse, read_text
from ontogeny.faces.terminal import AsJson, answer, size
from ontogeny.isa.encode import encode


def command(
    file: Annotated[str, typer.Argument(help="Program text (.onto); - reads the standard input.")],
    output: Annotated[str, typer.Option(*SPELT, help="Where to write; else beside the text.")] = "",
    as_json: AsJson = False,
) -> None:
    """Turn program text into its compact encoded form."""
    text = read_text(file)
    data = encode(parse(text, file))
    target = place(output, Path(file).with_suffix(".ontob") if file != "-" else "program.ontob")
    target.write_bytes(data)

    def say(console: Console) -> None:
        console.print(f"{escape(str(target))}: {size(len(data))} from {size(len(text.encode()))} of text")

    answer({"file": target, "bytes": len(data), "text_bytes": len(text.encode())}, as_json, say)
