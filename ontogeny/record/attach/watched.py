"""The tensors of a model that are recorded, under their names, and whether they are still the same objects.

Walking a large model costs more than a small step, so it is done once; at each step only the dictionaries that were
walked are looked at, which notices parameters and modules that are added, taken away or replaced. Tied parameters are
recorded once, under the name that comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import chain
from operator import methodcaller
from typing import Any

import torch
from torch import nn
from torch.distributed.tensor import DTensor, Replicate, Shard
from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

from ontogeny.isa.errors import RecordError
from ontogeny.machine.compiled.convert import BACK
from ontogeny.record.trace.layout import Layout, Tensor

VALUES = methodcaller("values")
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
        self._wrapper = _wrapper(named)
        self.named = {plain: t for name, t in named.items() if self._wanted(plain := self._plain(name))}
        if not self.named:
            raise RecordError(f"no parameter of {type(self.model).__name__} matches {self.only}; nothing to record")
        tables: list[dict[str, Any]] = []
        for module in self.model.modules():
            tables += [module._parameters, module._modules, *([module._buffers] if self.buffers else [])]
        self._tables = tables
        self._alive = [[*table.values()] for table in tables]  # an id stays an object's own while that lives
        self._held = self._holding()
        self._flat = [*self.named.values()]
        self._forms = self._present()
        self.sharded = any(isinstance(tensor, DTensor) for tensor in self._flat)
        self.devices = sorted({t.device for t in self._flat if t.is_cuda}, key=str)

    def changed(self) -> bool:
        """Whether the model is no longer the one that was walked."""
        return self._holding() != self._held or self._present() != self._forms

    def _holding(self) -> tuple[list[int], list[int]]:
        """What stands in the model's dictionaries: how many objects in each, and all of them by their ids."""
        return [*map(len, self._tables)], [*map(id, chain.from_iterable(map(VALUES, self._tables)))]

    def _present(self) -> list[tuple[Any, ...]]:
        return [(t.dtype, t.shape, t.device) for t in self._flat]

    def tensors(self) -> list[torch.Tensor]:
        """What is recorded now: each tensor, or of a sharded one the part that this process holds."""
        return [local(tensor) for tensor in self._flat] if self.sharded else self._flat

    def layout(self) -> Layout:
        """What a row is made of."""
        return Layout(tuple(_described(name, tensor) for name, tensor in self.named.items()))

    def aliases(self) -> dict[str, str]:
        """The other names of tied parameters, and the name that each is recorded under."""
        names = {id(tensor): name for name, tensor in self.named.items()}
        every = [(self._plain(name), t) for name, t in self.model.named_parameters(remove_duplicate=False)]
        return {name: names[id(t)] for name, t in every if names.get(id(t), name) != name}

    def _wanted(self, name: str) -> bool:
        return self.only is None or any(fnmatchcase(name, pattern) for pattern in self.only)

    def _plain(self, name: str) -> str:
        """A name as it was before the model was wrapped, also where a part of it was compiled."""
        return name.removeprefix(self._wrapper).replace("._orig_mod.", ".")


def local(tensor: torch.Tensor) -> torch.Tensor:
    """The part of a tensor that lies in this process."""
    if isinstance(tensor, DTensor):
        part: torch.Tensor = tensor.to_local().detach()
        return part
    return tensor.detach()


def _wrapper(names: Iterable[str]) -> str:
    """The prefix that wrappers have put before all names."""
    prefix, names = "", list(names)
    while found := [w for w in WRAPPERS if names and all(name.startswith(prefix + w) for name in names)]:
        prefix += found[0]
    return prefix


def _described(name: str, tensor: torch.Tensor) -> Tensor:
    if tensor.dtype not in BACK:
        raise RecordError(f"{name} is of {tensor.dtype}, which cannot be recorded; leave it out with only=[...]")
    if tensor.is_meta:
        raise RecordError(f"{name} is on the meta device and has no values yet; attach once the model is materialised")
    if not isinstance(tensor, DTensor):
        return Tensor(name, BACK[tensor.dtype], tuple(tensor.shape))
    if odd := [p for p in tensor.placements if type(p) not in (Shard, Replicate)]:
        raise RecordError(f"{name} is spread over processes as {odd[0]}; only Shard and Replicate can be recorded")
    shape, start = compute_local_shape_and_global_offset(tensor.shape, tensor.device_mesh, tensor.placements)
    return Tensor(name, BACK[tensor.dtype], tuple(shape), tuple(start), tuple(tensor.shape))
