"""A network whose every weight is a synapse of its own, used once for an example."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class OneUse(nn.Module):
    """All cells to all of `hidden` units, and those to all cells."""

    def __init__(self, cells: int, hidden: int) -> None:
        super().__init__()
        self.hidden, self.write = nn.Linear(cells, hidden), nn.Linear(hidden, cells)

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, cells]."""
        scores: Tensor = self.write(torch.relu(self.hidden(x)))
        return scores
