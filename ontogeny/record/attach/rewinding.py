"""Going back in a recorded loop: what is kept of it in a checkpoint, which one all processes have, and putting it back.

Of a sharded model each process keeps its own part. Of copies the first keeps model, optimizers and what else is named,
the others what is theirs alone: random generators, place in the data, buffers of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ontogeny.isa.errors import RecordError
from ontogeny.record.attach import checkpoints
from ontogeny.record.attach.checkpoints import Part
from ontogeny.record.attach.loader import Position
from ontogeny.record.attach.processes import gathered
from ontogeny.record.attach.tree import meshes_of


@dataclass(frozen=True, slots=True)
class Loop:
    """What a loop goes on from. `keep` are further things with a `state_dict`."""

    model: nn.Module
    optimizers: Sequence[torch.optim.Optimizer]
    keep: Mapping[str, Any]
    position: Position

    def state(self, follows: bool) -> dict[str, Any]:
        """All of it, or of a process that `follows` the first only what is its own."""
        own = {"generators": checkpoints.generators(), "position": self.position.as_tree()}
        if follows:
            return {**own, "buffers": dict(self.model.named_buffers())}
        return {
            **own,
            "model": dict(self.model.state_dict()),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "keep": {name: thing.state_dict() for name, thing in self.keep.items()},
        }

    def read(self, folder: Path, step: int, part: Part, follows: bool) -> dict[str, Any]:
        """What was kept at a step for this process. Raises RecordError where that cannot be read."""
        meshes = meshes_of([*self.model.parameters(), *self.model.buffers()])
        own = checkpoints.read(folder, step, part, meshes)
        return {**checkpoints.read(folder, step, replace(part, rank=0)), **own} if follows else own

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Model, optimizers, the rest and the random generators become what they were."""
        self.model.load_state_dict(kept["model"])
        buffers = dict(self.model.named_buffers())
        with torch.no_grad():
            for name, value in kept.get("buffers", {}).items():
                buffers[name].copy_(value)
        for optimizer, state in zip(self.optimizers, kept["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        for name, thing in self.keep.items():
            thing.load_state_dict(kept["keep"][name])
        checkpoints.set_generators(kept["generators"])


def last_of_all(folder: Path, step: int, part: Part) -> tuple[int, Part]:
    """The last checkpoint at or before a step that every process has, and this one's part of it.

    Raises RecordError, the same in every process, where there is none.
    """
    every = checkpoints.files(folder)
    own = [(at, one.session) for at, one in every if at <= step and (one.rank, one.count) == (part.rank, part.count)]
    all_have = set.intersection(*map(set, gathered(own) if part.count > 1 else [own]))
    if all_have:
        at, session = max(all_have)
        return at, replace(part, session=session)
    others = sorted({one.count for at, one in every if at <= step} - {part.count})
    if others and not own:
        raise RecordError(
            f"the checkpoints in {folder} were kept by {others[0]} processes and there are {part.count}; "
            f"go back with as many as there were"
        )
    of_all = f" that all {part.count} processes have finished" if part.count > 1 else ""
    raise RecordError(f"{folder} has no checkpoint at or before step {step}{of_all}; set checkpoint_every")
