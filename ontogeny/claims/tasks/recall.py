"""Pairs told once, then one of them asked for: what can only be learned within an example."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.data.base import Array

Named = dict[str, Array]


def asked(seed: int, count: int, pairs: int, names: int) -> Named:
    """`pairs` places that each show a name and a value (one-hot, side by side), and a last one with a name alone.

    x f32[count, pairs + 1, 2 names], context f32[count, pairs + 1, 2] (told, asked), y i64[count]: the value that was
    told with the name. Names of an example differ; which value goes with which is new in every example.
    """
    chance = np.random.default_rng(seed)
    order = np.argsort(chance.random((count, names)), axis=1)[:, :pairs]
    values = chance.integers(0, names, (count, pairs))
    at = chance.integers(0, pairs, count)
    eye, rows = np.eye(names, dtype=np.float32), np.arange(count)
    last = np.concatenate([eye[order[rows, at]], np.zeros((count, names), np.float32)], axis=1)
    x = np.concatenate([np.concatenate([eye[order], eye[values]], axis=2), last[:, None]], axis=1)
    context = np.zeros((count, pairs + 1, 2), np.float32)
    context[:, :-1, 0], context[:, -1, 1] = 1.0, 1.0
    return {"x": x, "context": context, "y": values[rows, at]}


def loss(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cross entropy at the last place in nats, and accuracy."""
    scores = model(batch["x"], batch["context"])[:, -1]
    return {"loss": F.cross_entropy(scores, batch["y"]), "accuracy": (scores.argmax(-1) == batch["y"]).float().mean()}
