"""Handwritten digits by a network of two layers, on scikit-learn's 8 x 8 images.

Needs scikit-learn: pip install ontogeny[demo].
"""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

import ontogeny as og


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Cross entropy and accuracy."""
    scores = model(batch["x"])
    accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
    return {"loss": F.cross_entropy(scores, batch["y"]), "accuracy": accuracy}


def pixels(seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """1,400 images of 64 pixels to learn from and 397 held out, from 0 to 1."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    named = {"x": (x[order] / 16).astype(np.float32), "y": y[order].astype(np.int64)}
    return {k: v[:1400] for k, v in named.items()}, {k: v[1400:] for k, v in named.items()}


def experiment(
    lr: float = 3e-3, weight_decay: float = 0.01, batch_size: int = 64, hidden: int = 64, seed: int = 0
) -> og.Experiment:
    """The task, ready to run."""
    torch.manual_seed(seed)
    train, valid = pixels(seed)
    model = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    example = {name: values[:batch_size] for name, values in train.items()}
    rule = og.adamw(lr=lr, weight_decay=weight_decay)
    learner = og.capture(model, loss, rule, example, valid=valid, predict=lambda m, b: m(b["x"]), name="digits")
    data = og.Arrays(train, batch_size=batch_size, seed=seed)
    held_out = {f"valid.{name}": values for name, values in valid.items()}
    return og.Experiment(learner, data, held_out, seed=seed, name="digits")
