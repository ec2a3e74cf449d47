"""Buffers that a row is copied into on the loop's own thread: one copy per tensor, and nothing else, costs the loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ontogeny.machine.compiled.convert import TORCH
from ontogeny.record.trace.layout import Layout


@dataclass(frozen=True)
class Staged:
    """A row's memory, and a view of it for each tensor, in the layout's order."""

    memory: torch.Tensor
    views: list[torch.Tensor]

    @staticmethod
    def of(layout: Layout, pinned: bool) -> Staged:
        """A buffer for one row; pinned where tensors come from a GPU."""
        memory = torch.zeros(layout.row_bytes, dtype=torch.uint8, pin_memory=pinned)
        views = []
        for place in layout.places.values():
            bank, tensor = layout.banks[place.bank], place.tensor
            start = bank.offset + place.first * bank.dtype.bytes
            flat = memory[start : start + tensor.size * bank.dtype.bytes].view(TORCH[bank.dtype])
            views.append(flat.view(tensor.shape))
        return Staged(memory, views)

    def fill(self, tensors: list[torch.Tensor], devices: Sequence[torch.device]) -> None:
        """Copies the tensors' present values. From the GPUs `devices` all copies run together, waited for once."""
        before = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)  # a `no_grad` block costs a small step a tenth of the copy
        try:
            torch._foreach_copy_(self.views, tensors, non_blocking=bool(devices))
        finally:
            torch._C._set_grad_enabled(before)
        for device in devices:
            torch.cuda.current_stream(device).synchronize()

    def raw(self) -> memoryview:
        """The bytes of the row."""
        return self.memory.numpy().data
