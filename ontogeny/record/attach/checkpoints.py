"""What it takes to go back in a loop that is not ours: model, optimizer, random generators, place in the data.

A checkpoint is one safetensors file; what is not a tensor stands in its header as JSON.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save

from ontogeny.isa.errors import RecordError
from ontogeny.record.attach.tree import packed, unpacked
from ontogeny.record.disk import disk, replace_file

FOLDER = "checkpoints"
SUFFIX = ".safetensors"


def path_of(folder: Path, step: int) -> Path:
    """The file of a step."""
    return folder / FOLDER / f"{step:012d}{SUFFIX}"


def steps(folder: Path) -> list[int]:
    """The steps that have a checkpoint, in order."""
    return sorted(int(path.stem) for path in (folder / FOLDER).glob(f"*{SUFFIX}") if path.stem.isdigit())


def taken(folder: Path, step: int, kept: dict[str, Any]) -> Callable[[], None]:
    """Copies everything now; the function that is given writes it, on whatever thread."""
    tensors: dict[str, torch.Tensor] = {}
    text = json.dumps(packed(kept, tensors))

    def write() -> None:
        path = path_of(folder, step)
        with disk("making", path.parent):
            path.parent.mkdir(exist_ok=True)
        replace_file(path, save(tensors, {"content": text}))

    return write


def read(folder: Path, step: int) -> dict[str, Any]:
    """What was kept at a step. Raises RecordError where the file is missing or damaged."""
    path = path_of(folder, step)
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            found: dict[str, Any] = unpacked(json.loads(file.metadata()["content"]), tensors)
    except Exception as error:
        raise RecordError(f"the checkpoint {path} cannot be read: {error}") from error
    return found


def generators() -> dict[str, Any]:
    """The states of the random generators that a training loop draws from."""
    found = {"torch": torch.get_rng_state(), "numpy": np.random.get_state(), "python": random.getstate()}
    return {**found, "cuda": torch.cuda.get_rng_state_all()} if torch.cuda.is_initialized() else found


def set_generators(states: dict[str, Any]) -> None:
    """Puts the random generators back."""
    torch.set_rng_state(states["torch"])
    np.random.set_state(states["numpy"])
    random.setstate(states["python"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
