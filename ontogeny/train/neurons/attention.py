"""Attention over cells: the projections are used once for every cell of an example, whichever cells it looks at."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Cells with learned places, one layer of attention in `heads` parts, and one hidden layer at each cell."""

    def __init__(self, cells: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.read, self.place = nn.Linear(1, width), nn.Parameter(0.3 * torch.randn(cells, width))
        self.asked, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.hidden, self.write = nn.Linear(width, width), nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, cells]."""
        h = self.read(x.unsqueeze(2)) + self.place
        batch, cells, width = h.shape
        parts = self.asked(h).view(batch, cells, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        h = h + self.mixed(seen.transpose(1, 2).reshape(batch, cells, width))
        scores: Tensor = self.write(torch.relu(self.hidden(h))).squeeze(2)
        return scores
