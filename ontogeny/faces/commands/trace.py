"""ontogeny trace"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, RunName, StepWindow, Tensors, recording
from ontogeny.faces.terminal import AsJson, answer, size, table
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.trace.traces import Window, chosen
from ontogeny.record.trace.zarr_io import write


def command(
    name: RunName,
    to_zarr: Annotated[
        str, typer.Option("--to-zarr", metavar="PLACE", help="Write them as a Zarr v3 group: a new folder, or a URL.")
    ] = "",
    steps: StepWindow = ":",
    tensors: Tensors = None,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Say which trajectories a run has, or write them for other tools: Zarr v3, as xarray opens it.

    Each tensor becomes an array with the steps as its first axis. What is written is read back and compared.
    """
    traces, window = recording(name, file).traces, Window.parse(steps)
    names = chosen(traces, tensors)
    recorded = np.asarray(traces.steps)
    inside = recorded[window.of(recorded)]
    if not len(inside):
        raise OntogenyError(f"no recorded step lies in {steps}; there are {len(recorded)} steps, see --help")
    rows = [_row(traces.tensors[one], len(inside)) for one in names]
    document = {"first": int(inside[0]), "last": int(inside[-1]), "steps": len(inside), "tensors": rows}
    if to_zarr:
        with Busy(f"writing {to_zarr}, and reading it back", as_json):
            write(traces, to_zarr, window, names)
        document["zarr"] = to_zarr
    answer(document, as_json, lambda console: say(console, document))


def _row(tensor: Any, steps: int) -> dict[str, Any]:
    bytes_of_it = tensor.size * tensor.dtype.bytes * steps
    return {"name": tensor.name, "format": str(tensor.dtype), "shape": list(tensor.shape), "bytes": bytes_of_it}


def say(console: Console, document: dict[str, Any]) -> None:
    """The tensors, and where they went."""
    shown = table("", tensor="left", format="left", shape="right", values="right")
    for row in document["tensors"]:
        shown.add_row(escape(row["name"]), row["format"], escape(str(row["shape"])), size(row["bytes"]))
    console.print(shown)
    whole = size(sum(row["bytes"] for row in document["tensors"]))
    console.print(f"[bold]{document['steps']}[/] steps, {document['first']} to {document['last']}: {whole}")
    if "zarr" in document:
        where = escape(document["zarr"])
        console.print(
            f"[dim]written to {where}, read back and compared; xarray.open_zarr('{where}', consolidated=False)[/]",
            soft_wrap=True,
        )
