"""ontogeny export"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.markup import escape
from safetensors.numpy import save_file

from ontogeny.faces.commands.rewind import parameters
from ontogeny.faces.numbers import step_of
from ontogeny.faces.sources import DataFile, RunName, opened
from ontogeny.faces.terminal import AsJson, answer, size


def command(
    name: RunName,
    output: Annotated[str, typer.Option("--output", "-o", help="The file; else RUN-STEP.safetensors.")] = "",
    step: Annotated[str, typer.Option("--step", help="A step, `last`, or -10 for ten before the last.")] = "last",
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Write the parameters of a step as safetensors, under their own names."""
    run = opened(name, file)
    at = step_of(step, run.step)
    target = Path(output or f"{run.folder.name}-{at}.safetensors")
    tensors = {name: np.ascontiguousarray(array) for name, array in parameters(run, at).items()}
    about = {"run": run.folder.name, "step": str(at), "hash": run.hash(at), "program": run.program.name}
    save_file(tensors, target, metadata=about)
    document = {**about, "step": at, "file": str(target), "tensors": len(tensors), "bytes": target.stat().st_size}
    words = f"{escape(str(target))}: {len(tensors)} tensors of step {at}, {size(target.stat().st_size)}"
    answer(document, as_json, lambda console: console.print(words, soft_wrap=True))
