"""A small captured experiment for the tests of the faces: two layers with batch norm between them."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og


class Net(nn.Module):
    """[16, 4] -> [16, 3]"""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.norm(self.first(x))))


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross entropy."""
    return F.cross_entropy(model(batch["x"]), batch["y"])


def scores(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """What the model makes of x."""
    return model(batch["x"])


def experiment(predict: bool = True) -> og.Experiment:
    """Random inputs whose largest of three columns is the class."""
    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    train = {"x": x, "y": x[:, :3].argmax(1).astype(np.int64)}
    example = {name: values[:16] for name, values in train.items()}
    learner = og.capture(Net(), loss, og.adamw(lr=1e-2), example, predict=scores if predict else None, name="net")
    return og.Experiment(learner, og.Arrays(train, batch_size=16))
