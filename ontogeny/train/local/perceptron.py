"""The network that the rules here teach: fully connected layers, tanh between them, and what they are told of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Directions = dict[str, Tensor]


class Perceptron(nn.Module):
    """Scores f32[batch, classes] of f32[batch, inputs] through layers of the given widths."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def weights(self) -> list[tuple[Tensor, Tensor]]:
        """Weight [out, in] and threshold [out] of each layer."""
        return [(layer.weight, layer.bias) for layer in self.layers]  # type: ignore[misc]

    def activities(self, x: Tensor) -> list[Tensor]:
        """What each layer is given, and at last the scores."""
        given = [x]
        for layer in self.layers[:-1]:
            given.append(torch.tanh(layer(given[-1])))
        return [*given, self.layers[-1](given[-1])]

    def forward(self, x: Tensor) -> Tensor:
        """The scores."""
        return self.activities(x)[-1]


def told(scores: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Cross entropy in nats, and accuracy."""
    return {"loss": F.cross_entropy(scores, y), "accuracy": right(scores, y)}


def told_squares(scores: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Half the squared distance from one-hot targets, for one example, and accuracy."""
    target = F.one_hot(y, scores.shape[1]).to(scores.dtype)
    return {"loss": 0.5 * (scores - target).pow(2).sum(1).mean(), "accuracy": right(scores, y)}


def right(scores: Tensor, y: Tensor) -> Tensor:
    """The share of examples whose highest score is their class's."""
    return (scores.argmax(1) == y).float().mean()


def moved(errors: Sequence[Tensor], given: Sequence[Tensor]) -> Directions:
    """Each layer against error x what it is given, in the mean over the batch: [batch, out] and [batch, in]."""
    found: Directions = {}
    for at, (error, inputs) in enumerate(zip(errors, given, strict=True)):
        found[f"layers.{at}.weight"] = error.T @ inputs / len(inputs)
        found[f"layers.{at}.bias"] = error.mean(0)
    return found
