"""Forward-forward: two forward passes, one with the right label and one with a wrong, and no pass back.

Hinton, "The forward-forward algorithm: some preliminary investigations", 2022. The label goes in beside the picture. A
layer's goodness is the sum of its squared activities; each layer by itself learns to have more of it than there are
units for what is right, and less for what is wrong, with a logistic loss. What it hands on has its length taken out, so
that the next layer cannot just read off how good it was. The class is the label with the most goodness.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.front.local import Local
from ontogeny.front.trace import Batch
from ontogeny.train.local.perceptron import Directions, moved, right

TINY = 1e-6


class Goodness(nn.Module):
    """Layers of ReLU over a picture and a label: widths are (inputs, hidden, ..., classes), the last no layer."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        inputs, *hidden, self.classes = widths
        sizes = [inputs + self.classes, *hidden]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

    def passed(self, x: Tensor, label: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What each layer is given and gives, for pictures with labels i64[batch]."""
        given = torch.cat([x, F.one_hot(label, self.classes).to(x.dtype)], 1)
        found = []
        for layer in self.layers:
            output = torch.relu(layer(given))
            found.append((given, output))
            given = output / (output.pow(2).mean(1, keepdim=True) + TINY).sqrt()
        return found

    def forward(self, x: Tensor) -> Tensor:
        """The goodness of each label, f32[batch, classes]."""
        totals = []
        for label in range(self.classes):
            outputs = self.passed(x, torch.full((len(x),), label))
            totals.append(sum((output.pow(2).mean(1) for _, output in outputs), torch.zeros(len(x))))
        return torch.stack(totals, 1)


def directions(model: Goodness, batch: Batch) -> tuple[dict[str, Tensor], Directions]:
    """What is measured, and what each parameter moves against; wrong labels are drawn anew in every step."""
    x, y = batch["x"], batch["y"]
    other = (y + 1 + (torch.rand(len(x)) * (model.classes - 1)).to(torch.int64)) % model.classes
    errors: list[list[Tensor]] = [[] for _ in model.layers]
    inputs: list[list[Tensor]] = [[] for _ in model.layers]
    total = torch.zeros(())
    for label, sign in ((y, 1.0), (other, -1.0)):
        for at, (given, output) in enumerate(model.passed(x, label)):
            excess = output.pow(2).sum(1) - output.shape[1]
            total = total + F.softplus(-sign * excess).mean()
            errors[at].append(-sign * torch.sigmoid(-sign * excess).unsqueeze(1) * 2 * output)
            inputs[at].append(given)
    both = moved([2 * torch.cat(one) for one in errors], [torch.cat(one) for one in inputs])
    return {"loss": total, "accuracy": right(model(x), y)}, both


FORWARD_FORWARD = Local(directions)
