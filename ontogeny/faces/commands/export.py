"""ontogeny export"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.markup import escape
from safetensors.numpy import save_file

from ontogeny.faces.commands.rewind import parameters
from ontogeny.faces.numbers import step_of
from ontogeny.faces.outputs import SPELT, place, replaceable
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, RunName, opened
from ontogeny.faces.terminal import AsJson, answer, size
from ontogeny.front.names import model_tensors
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.text import to_text
from ontogeny.machine.learner import Learner
from ontogeny.record.machines import build
from ontogeny.record.recorded import Recorded

PREDICT = "predict"
Document = dict[str, Any]


class Format(StrEnum):
    """What is written."""

    SAFETENSORS = "safetensors"
    TORCH = "torch"
    ONNX = "onnx"
    ONTO = "onto"


def command(
    name: RunName,
    output: Annotated[str, typer.Option(*SPELT, help="The file; else RUN-STEP and the format's ending.")] = "",
    step: Annotated[str, typer.Option("--step", help="A step, `last`, or -10 for ten before the last.")] = "last",
    format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="safetensors: parameters as the program names them. torch: safetensors for the model's own "
            "load_state_dict, with buffers. onnx: `predict` with its parameters. onto: the program as text.",
        ),
    ] = Format.SAFETENSORS,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Write what a step has learned: safetensors, for PyTorch, ONNX, or the program as text."""
    run = opened(name, file)
    at = step_of(step, run.step)
    target = replaceable(place(output, f"{run.folder.name}-{at}{ENDINGS[format]}"))
    about = {"run": run.folder.name, "step": str(at), "hash": run.hash(at), "program": run.as_of(at).program.name}
    with Busy(f"writing {target}", as_json):
        said = WRITERS[format](run.as_of(at), at, target, about)
    length = target.stat().st_size
    document = {**about, "step": at, "format": format.value, "file": str(target), "bytes": length, **said}
    words = f"{escape(str(target))}: {escape(_words(said))} of step {at}, {size(length)}"
    answer(document, as_json, lambda console: console.print(words, soft_wrap=True))


def _words(said: Document) -> str:
    if "tensors" in said:
        return f"{said['tensors']} tensors"
    if "onnxruntime_difference" not in said:
        return f"{said['routines']} routines"
    apart = said["onnxruntime_difference"]
    checked = (
        "not checked: onnxruntime or the data is not there" if apart is None else f"within {apart:.1g} in ONNX Runtime"
    )
    return f"{PREDICT} ({', '.join(said['inputs'])} -> {', '.join(said['outputs'])}), {checked},"


def _safetensors(run: Recorded, at: int, target: Path, about: dict[str, str]) -> Document:
    tensors = {name: np.ascontiguousarray(array) for name, array in parameters(run, at).items()}
    save_file(tensors, target, metadata=about)
    return {"tensors": len(tensors)}


def _torch(run: Recorded, at: int, target: Path, about: dict[str, str]) -> Document:
    tensors = model_tensors(run.program, run.state(at))
    save_file(tensors, target, metadata={**about, "format": "pt"})
    return {"tensors": len(tensors)}


def _onnx(run: Recorded, at: int, target: Path, about: dict[str, str]) -> Document:
    if not run.program.has(PREDICT):
        names = ", ".join(routine.name for routine in run.program.routines)
        raise OntogenyError(
            f"run {run.folder.name!r} has no routine {PREDICT!r}, only {names}; capture with "
            "predict=lambda model, batch: ... and run again, or export --format torch"
        )
    state = run.state(at)
    import_module("ontogeny.front.to_onnx").to_onnx(target, Learner(run.program, state))
    body = run.program.routine(PREDICT).body
    read = {str(instr.attr("name")) for instr in body if instr.op.text == "read"}
    inputs = [decl.name for decl in run.program.of("input") if decl.name in read]
    outputs = [name for name, _ in run.program.routine(PREDICT).returns]
    return {"inputs": inputs, "outputs": outputs, "onnxruntime_difference": _difference(run, at, target, inputs)}


def _difference(run: Recorded, at: int, target: Path, inputs: list[str]) -> float | None:
    """How far ONNX Runtime is from the program on the batch of the step; None where there is nothing to compare."""
    try:
        check = import_module("ontogeny.front.check_onnx").check_onnx
        batch = run.data.batch(at)
    except OntogenyError:
        return None
    if not set(inputs) <= set(batch):
        return None
    machine = build(run.start["machine"], run.program, run.start["options"])
    machine.load(run.state(at))
    given = {name: batch[name] for name in inputs}
    return float(check(target, given, machine.call(PREDICT, given, run.dials(at))))


def _onto(run: Recorded, at: int, target: Path, about: dict[str, str]) -> Document:
    target.write_text(to_text(run.program), encoding="utf-8")
    return {"routines": len(run.program.routines)}


ENDINGS = {
    Format.SAFETENSORS: ".safetensors",
    Format.TORCH: ".torch.safetensors",
    Format.ONNX: ".onnx",
    Format.ONTO: ".onto",
}
WRITERS: dict[Format, Callable[[Recorded, int, Path, dict[str, str]], Document]] = {
    Format.SAFETENSORS: _safetensors,
    Format.TORCH: _torch,
    Format.ONNX: _onnx,
    Format.ONTO: _onto,
}
