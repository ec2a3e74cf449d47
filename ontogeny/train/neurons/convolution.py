"""A convolution over a ring of cells: each parameter is used once for every cell of an example."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Convolution(nn.Module):
    """Each cell from itself and `reach` neighbours on either side, through one hidden layer of `width` channels."""

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.kernel, self.write = nn.Linear(2 * reach + 1, width), nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, cells]."""
        near = torch.stack([torch.roll(x, by, 1) for by in range(self.reach, -self.reach - 1, -1)], dim=2)
        scores: Tensor = self.write(torch.relu(self.kernel(near))).squeeze(2)
        return scores
