"""What the tasks of classes are judged by: cross entropy, and how often the likeliest class is right."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.data.base import Array


def of_examples(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of x and its class y i64[batch], by scores f32[batch, classes]: `loss` in nats and `accuracy`."""
    scores = model(batch["x"])
    return {"loss": F.cross_entropy(scores, batch["y"]), "accuracy": (scores.argmax(-1) == batch["y"]).float().mean()}


def of_places(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same at each place of a sequence: y i64[batch, places], by scores f32[batch, places, classes]."""
    scores = model(batch["x"])
    accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
    return {"loss": F.cross_entropy(scores.flatten(0, 1), batch["y"].flatten()), "accuracy": accuracy}


def bits(scores: Array, y: Array) -> float:
    """What classes y i64[...] cost all together by scores [..., classes], in f64."""
    found = torch.from_numpy(np.array(scores)).double().flatten(0, -2)
    return float(F.cross_entropy(found, torch.from_numpy(y).flatten(), reduction="sum")) / math.log(2)
