"""Backpropagation, which the local rules are beside: the gradient of cross entropy."""

from __future__ import annotations

from torch import Tensor

from ontogeny.front.trace import Batch
from ontogeny.train.local.perceptron import Perceptron, told


def loss(model: Perceptron, batch: Batch) -> dict[str, Tensor]:
    """Cross entropy and accuracy."""
    return told(model(batch["x"]), batch["y"])
