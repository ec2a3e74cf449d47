"""The losses of a loop that does not tell them: the scalars that `backward` was called on.

They are taken as they were before a gradient scaler.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch


class Losses:
    """Notes the scalars that `backward` is called on, while it watches."""

    def __init__(self) -> None:
        self._noted: list[torch.Tensor] = []
        self._scaled: tuple[weakref.ref[torch.Tensor], torch.Tensor] | None = None

    def watch(self) -> None:
        """Begins; `leave` puts everything back."""
        self._backward, self._scale = torch.autograd.backward, torch.amp.GradScaler.scale

        def backward(tensors: Any, *args: Any, **options: Any) -> Any:
            self._note(tensors)
            return self._backward(tensors, *args, **options)

        def scale(scaler: torch.amp.GradScaler, outputs: Any) -> Any:
            found = self._scale(scaler, outputs)
            if isinstance(outputs, torch.Tensor):
                self._scaled = weakref.ref(found), outputs.detach()
            return found

        torch.autograd.backward = backward
        torch.amp.GradScaler.scale = scale  # type: ignore[method-assign, assignment]

    def leave(self) -> None:
        """Ends."""
        torch.autograd.backward = self._backward
        torch.amp.GradScaler.scale = self._scale  # type: ignore[method-assign]

    def last(self) -> float | None:
        """The last loss since this or `total` was asked last, if there was one."""
        noted, self._noted = self._noted, []
        return float(noted[-1]) if noted else None

    def total(self) -> float | None:
        """The sum of those losses: where gradients are accumulated, each is a share of the step's."""
        noted, self._noted = self._noted, []
        return sum(map(float, noted)) if noted else None

    def _note(self, tensors: Any) -> None:
        found = tensors[0] if isinstance(tensors, list | tuple) and len(tensors) == 1 else tensors
        if isinstance(found, torch.Tensor) and found.numel() == 1:
            scaled = self._scaled is not None and self._scaled[0]() is found
            self._noted.append(self._scaled[1] if scaled and self._scaled is not None else found.detach())
