"""The tensors of a model that are recorded, under their names, and whether they are still the same objects.

Walking a large model costs more than a small step, so it is done once; at each step only the dictionaries that were
walked are looked at, which notices parameters and modules that are added, taken away or replaced. Tied parameters are
recorded once, under the name that comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn
from torch.distributed.tensor import DTensor
from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

from ontogeny.isa.errors import RecordError
from ontogeny.machine.compiled.convert import BACK
from ontogeny.record.trace.layout import Layout, Tensor

WRAPPERS = ("module.", "_orig_mod.")
"""What DistributedDataParallel and torch.compile put before the names of a model that they wrap."""


class Watched:
    """The recorded tensors of a model. `only` holds names or patterns with `*`; buffers come with `buffers`."""

    def __init__(self, model: nn.Module, only: Sequence[str] | None = None, buffers: bool = False) -> None:
        self.model, self.only, self.buffers = model, only, buffers
        self.walk()

    def walk(self) -> None:
        """Looks through the model again."""
        named: dict[str, torch.Tensor] = dict(self.model.named_parameters())
        if self.buffers:
            named.update(self.model.named_buffers())
        self.named = {_plain(name): tensor for name, tensor in named.items() if self._wanted(_plain(name))}
        if not self.named:
            raise RecordError(f"no parameter of {type(self.model).__name__} matches {self.only}; nothing to record")
        modules = list(self.model.modules())
        self._tables: list[tuple[dict[str, Any], int]] = []
        self._held: list[tuple[dict[str, Any], str, torch.Tensor]] = []
        for module in modules:
            tables = (module._parameters, module._modules, *((module._buffers,) if self.buffers else ()))
            self._tables += [(table, len(table)) for table in tables]
            self._held += [(t, k, v) for t in tables for k, v in t.items() if isinstance(v, torch.Tensor)]
        self._forms = [(t.dtype, t.shape) for t in self.named.values()]

    def _wanted(self, name: str) -> bool:
        return self.only is None or any(fnmatchcase(name, pattern) for pattern in self.only)

    def changed(self) -> bool:
        """Whether the model is no longer the one that was walked."""
        return (
            any(len(table) != count for table, count in self._tables)
            or any(table.get(key) is not tensor for table, key, tensor in self._held)
            or any((t.dtype, t.shape) != form for t, form in zip(self.named.values(), self._forms, strict=True))
        )

    def tensors(self) -> list[torch.Tensor]:
        """What is recorded now: each tensor, or of a sharded one the part that this process holds."""
        return [local(tensor) for tensor in self.named.values()]

    def layout(self) -> Layout:
        """What a row is made of."""
        return Layout(tuple(_described(name, tensor) for name, tensor in self.named.items()))

    def aliases(self) -> dict[str, str]:
        """The other names of tied parameters, and the name that each is recorded under."""
        names = {id(tensor): name for name, tensor in self.named.items()}
        every = self.model.named_parameters(remove_duplicate=False)
        return {_plain(n): names[id(t)] for n, t in every if names.get(id(t), _plain(n)) != _plain(n)}

    @property
    def sharded(self) -> bool:
        """Whether some tensor is spread over processes."""
        return any(isinstance(tensor, DTensor) for tensor in self.named.values())


def local(tensor: torch.Tensor) -> torch.Tensor:
    """The part of a tensor that lies in this process."""
    if isinstance(tensor, DTensor):
        part: torch.Tensor = tensor.to_local().detach()
        return part
    return tensor.detach()


def _plain(name: str) -> str:
    for prefix in WRAPPERS:
        name = name.replace(prefix, "") if name.startswith(prefix) else name
    return name.replace("._orig_mod.", ".")


def _described(name: str, tensor: torch.Tensor) -> Tensor:
    if tensor.dtype not in BACK:
        raise RecordError(f"{name} is of {tensor.dtype}, which cannot be recorded; leave it out with only=[...]")
    if not isinstance(tensor, DTensor):
        return Tensor(name, BACK[tensor.dtype], tuple(tensor.shape))
    shape, start = compute_local_shape_and_global_offset(tensor.shape, tensor.device_mesh, tensor.placements)
    return Tensor(name, BACK[tensor.dtype], tuple(shape), tuple(start), tuple(tensor.shape))
