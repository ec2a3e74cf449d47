"""Handwritten digits by a small convolutional network with batch norm, on scikit-learn's 8 x 8 images.

Needs scikit-learn: pip install ontogeny[demo].
"""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

import ontogeny as og


class CNN(nn.Module):
    """Two convolutions, each with batch norm and a pool, then scores for ten digits."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.first, self.norm1 = nn.Conv2d(1, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.second, self.norm2 = nn.Conv2d(channels, 2 * channels, 3, padding=1), nn.BatchNorm2d(2 * channels)
        self.out = nn.Linear(2 * channels * 4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.norm1(self.first(x))), 2)  # [batch, channels, 4, 4]
        x = F.max_pool2d(F.relu(self.norm2(self.second(x))), 2)  # [batch, 2 channels, 2, 2]
        return self.out(x.flatten(1))


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Cross entropy and accuracy."""
    scores = model(batch["x"])
    accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
    return {"loss": F.cross_entropy(scores, batch["y"]), "accuracy": accuracy}


def images(seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """1,400 images to learn from and 397 held out, from 0 to 1."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    named = {"x": (x[order] / 16).astype(np.float32).reshape(-1, 1, 8, 8), "y": y[order].astype(np.int64)}
    return {k: v[:1400] for k, v in named.items()}, {k: v[1400:] for k, v in named.items()}


def experiment(
    lr: float = 3e-3, weight_decay: float = 0.01, batch_size: int = 64, channels: int = 16, seed: int = 0
) -> og.Experiment:
    """The task, ready to run."""
    torch.manual_seed(seed)
    train, valid = images(seed)
    example = {name: values[:batch_size] for name, values in train.items()}
    rule = og.adamw(lr=lr, weight_decay=weight_decay)
    learner = og.capture(CNN(channels), loss, rule, example, valid=valid, predict=lambda m, b: m(b["x"]), name="cnn")
    data = og.Arrays(train, batch_size=batch_size, seed=seed)
    held_out = {f"valid.{name}": values for name, values in valid.items()}
    return og.Experiment(learner, data, held_out, seed=seed, name="cnn")
