"""A network on a ring of cells whose one block is gone through `rounds` times with the same parameters.

A parameter of the block is used rounds x cells times for an example; `rounds` is a dial of the captured program, so how
deep it is can be chosen while it runs (`front/repeated.py`). `Stacked` has as many blocks of its own instead.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ontogeny.front.repeated import Repeated


class Block(nn.Module):
    """h plus what one hidden layer makes of each cell and its two neighbours: f32[batch, cells, width] of the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.around, self.out = nn.Linear(3 * width, width), nn.Linear(width, width)

    def forward(self, h: Tensor) -> Tensor:
        """One round."""
        near = torch.cat([torch.roll(h, 1, 1), h, torch.roll(h, -1, 1)], dim=2)
        result: Tensor = h + self.out(torch.relu(self.around(near)))
        return result


class Looped(nn.Module):
    """One block, gone through `rounds` times and up to `most` in training."""

    def __init__(self, width: int, rounds: int, most: int = 0) -> None:
        super().__init__()
        self.read, self.write = nn.Linear(1, width), nn.Linear(width, 1)
        self.loop = Repeated(Block(width), rounds, most)

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, cells]."""
        scores: Tensor = self.write(self.loop(self.read(x.unsqueeze(2)))).squeeze(2)
        return scores


class Stacked(nn.Module):
    """As many blocks, one after another, each with parameters of its own."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.read, self.write = nn.Linear(1, width), nn.Linear(width, 1)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, cells]."""
        h = self.read(x.unsqueeze(2))
        for block in self.blocks:
            h = block(h)
        scores: Tensor = self.write(h).squeeze(2)
        return scores
