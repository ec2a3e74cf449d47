"""A learner's parameters as a safetensors file, under the names that they have in the original model, and back.

Nothing is unpickled: the format holds numbers and names only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ontogeny.front.names import piece, plain_name
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Decl, Program
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array


def save_safetensors(path: Path | str, program: Program, state: Mapping[str, Array]) -> None:
    """Writes every parameter, and the state that the model itself has (such as running statistics)."""
    named = {plain_name(program, d.name): np.array(piece(program, state, d.name), order="C") for d in _shown(program)}
    save_file(named, path)


def load_safetensors(path: Path | str, program: Program, state: Mapping[str, Array]) -> dict[str, Array]:
    """A copy of `state` with the file's parameters in it. Raises RecordError where one is missing or misshapen."""
    try:
        found = load_file(path)
    except (SafetensorError, OSError) as error:
        raise RecordError(f"{path} is no safetensors file that can be read: {error}") from error
    new = {name: np.array(value) for name, value in state.items()}
    for decl in _shown(program):
        value = found.get(plain_name(program, decl.name))
        if value is None or value.shape != decl.type.shape or value.dtype != NUMPY[decl.type.dtype]:
            given = "nothing" if value is None else f"{value.dtype}{list(value.shape)}"
            raise RecordError(f"{path} holds {given} for {decl.name!r}; {decl.type} was expected")
        piece(program, new, decl.name)[...] = value
    return new


def _shown(program: Program) -> list[Decl]:
    """Parameters, and the state that `predict` or `evaluate` reads."""
    reading = [r for r in program.routines if r.name in ("predict", "evaluate")]
    read = {value for r in reading for i in r.body if i.op.text == "read" for _, value in i.attrs}
    return [*program.named_params(), *(d for d in program.of("state") if d.name in read)]
