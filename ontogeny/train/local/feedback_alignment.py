"""Feedback alignment: errors come back through fixed random weights instead of the transposed forward ones.

Lillicrap, Cownden, Tweed and Akerman, "Random synaptic feedback weights support error backpropagation for deep
learning", 2016. The forward weights come to align with the feedback, so that no synapse has to know another's weight.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ontogeny.front.local import Local
from ontogeny.front.trace import Batch
from ontogeny.train.local.perceptron import Directions, Perceptron, moved, told


class FixedFeedback(Perceptron):
    """A perceptron with a fixed random matrix [out, in] for each layer but the first, drawn by `seed`."""

    def __init__(self, widths: Sequence[int], seed: int = 0) -> None:
        super().__init__(widths)
        chance = torch.Generator().manual_seed(seed)
        for at, layer in enumerate(self.layers[1:], 1):
            shape = layer.get_parameter("weight").shape
            self.register_buffer(f"feedback{at}", torch.randn(shape, generator=chance) * shape[1] ** -0.5)


def directions(model: FixedFeedback, batch: Batch) -> tuple[dict[str, Tensor], Directions]:
    """What is measured, and what each parameter moves against."""
    x, y = batch["x"], batch["y"]
    *given, scores = model.activities(x)
    errors = [torch.softmax(scores, 1) - F.one_hot(y, scores.shape[1]).to(x.dtype)]
    for at in range(len(given) - 1, 0, -1):
        errors.insert(0, (errors[0] @ model.get_buffer(f"feedback{at}")) * (1 - given[at] ** 2))
    return told(scores, y), moved(errors, given)


FEEDBACK_ALIGNMENT = Local(directions)
