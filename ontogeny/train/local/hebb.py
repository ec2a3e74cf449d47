"""Hebb's rule kept in bounds by Oja's: hidden layers find the subspace of their input, unsupervised.

With y = W x, a layer changes by y x - (y y) W (Oja, "Neural networks, principal components, and subspaces", 1989; for
one unit his rule of 1982). The last layer is taught by the delta rule: what it should have given less what it gave,
times what it was given, both of which are there at the synapse.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ontogeny.front.local import Local
from ontogeny.front.trace import Batch
from ontogeny.train.local.perceptron import Directions, Perceptron, moved, told


def directions(model: Perceptron, batch: Batch) -> tuple[dict[str, Tensor], Directions]:
    """What is measured, and what each parameter moves against. Thresholds of hidden layers stay."""
    x, y = batch["x"], batch["y"]
    given = model.activities(x)
    found: Directions = {}
    for at, (weight, bias) in enumerate(model.weights()[:-1]):
        output = given[at] @ weight.T
        found[f"layers.{at}.weight"] = (output.T @ output @ weight - output.T @ given[at]) / len(x)
        found[f"layers.{at}.bias"] = torch.zeros_like(bias)
    error = torch.softmax(given[-1], 1) - F.one_hot(y, given[-1].shape[1]).to(x.dtype)
    last = moved([error], [given[-2]])
    found.update({name.replace("0", str(len(model.layers) - 1)): value for name, value in last.items()})
    return told(given[-1], y), found


HEBB = Local(directions)
