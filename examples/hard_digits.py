"""Handwritten digits through sixteen units that are -1 or 1, and nothing between: no gradient passes them.

With `rule=adamw` the units stay as they were drawn, and only what reads them learns. Evolution strategies
(`og.es`) need the loss alone, so every layer learns. Needs scikit-learn: pip install ontogeny[demo].
"""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

import ontogeny as og


class Hard(nn.Module):
    """Hard units between the pixels and the scores."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units, self.scores = nn.Linear(64, units), nn.Linear(units, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scores(torch.sign(self.units(x)))


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Cross entropy and accuracy."""
    scores = model(batch["x"])
    accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
    return {"loss": F.cross_entropy(scores, batch["y"]), "accuracy": accuracy}


def pixels(seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """1,400 images of 64 pixels to learn from and 397 held out, from -1 to 1."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    named = {"x": (x[order] / 8 - 1).astype(np.float32), "y": y[order].astype(np.int64)}
    return {k: v[:1400] for k, v in named.items()}, {k: v[1400:] for k, v in named.items()}


def experiment(
    rule: str = "es", lr: float = 0.02, sigma: float = 0.1, pairs: int = 64, units: int = 16, seed: int = 0
) -> og.Experiment:
    """The task, ready to run."""
    torch.manual_seed(seed)
    train, valid = pixels(seed)
    example = {name: values[:256] for name, values in train.items()}
    plain = og.adamw(lr=lr, weight_decay=0.0)
    chosen = og.es(plain, pairs=pairs, sigma=sigma) if rule == "es" else plain
    learner = og.capture(Hard(units), loss, chosen, example, valid=valid, predict=lambda m, b: m(b["x"]), name="hard")
    data = og.Arrays(train, batch_size=256, seed=seed)
    held_out = {f"valid.{name}": values for name, values in valid.items()}
    return og.Experiment(learner, data, held_out, seed=seed, name="hard digits")
