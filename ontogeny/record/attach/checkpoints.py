"""What it takes to go back in a loop that is not ours: model, optimizer, random generators, place in the data.

A checkpoint is one safetensors file; what is not a tensor stands in its header as JSON. Where processes train one model
each has a file of its own, under a name that says of how many it is: a checkpoint is there once all of them are, so
that a process that is killed leaves the one before it. The name also has the session, since a later one that comes to
the same step must not be taken together with what an earlier one left.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save

from ontogeny.isa.errors import RecordError
from ontogeny.record.attach.tree import Meshes, packed, unpacked
from ontogeny.record.disk import disk, replace_file

FOLDER = "checkpoints"
NAME = re.compile(r"(\d{12})(?:-session-(\d+)-rank-(\d+)-of-(\d+))?\.safetensors")


@dataclass(frozen=True, slots=True)
class Part:
    """Whose file it is: that of process `rank` of `count`, in a `session` of the recording."""

    rank: int = 0
    count: int = 1
    session: int = 0

    def path(self, folder: Path, step: int) -> Path:
        """The file of a step."""
        whose = f"-session-{self.session:04d}-rank-{self.rank:05d}-of-{self.count:05d}" if self.count > 1 else ""
        return folder / FOLDER / f"{step:012d}{whose}.safetensors"


ALONE = Part()


def files(folder: Path) -> list[tuple[int, Part]]:
    """The files that there are: the step of each, and whose it is."""
    found = [NAME.fullmatch(path.name) for path in (folder / FOLDER).glob("*.safetensors")]
    return [(int(m[1]), Part(int(m[3]), int(m[4]), int(m[2])) if m[2] else ALONE) for m in found if m]


def steps(folder: Path) -> list[int]:
    """The steps that have a checkpoint that every process has finished, in order."""
    ranks: dict[tuple[int, int, int], set[int]] = {}
    for step, part in files(folder):
        ranks.setdefault((step, part.session, part.count), set()).add(part.rank)
    return sorted({step for (step, _, count), there in ranks.items() if len(there) == count})


def taken(folder: Path, step: int, kept: dict[str, Any], part: Part = ALONE) -> Callable[[], None]:
    """Copies everything now; the function that is given writes it, on whatever thread."""
    tensors: dict[str, torch.Tensor] = {}
    text = json.dumps(packed(kept, tensors))

    def write() -> None:
        path = part.path(folder, step)
        with disk("making", path.parent):
            path.parent.mkdir(exist_ok=True)
        replace_file(path, save(tensors, {"content": text}))

    return write


def read(folder: Path, step: int, part: Part = ALONE, meshes: Meshes = ()) -> dict[str, Any]:
    """What was kept at a step. Raises RecordError where the file is missing or damaged, or its mesh is not here."""
    path = part.path(folder, step)
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            found: dict[str, Any] = unpacked(json.loads(file.metadata()["content"]), tensors, meshes)
    except RecordError as error:
        raise RecordError(f"the checkpoint {path} cannot be read: {error}") from error
    except Exception as error:  # what is damaged may read as anything
        raise RecordError(f"the checkpoint {path} cannot be read: {type(error).__name__}: {error}") from error
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
