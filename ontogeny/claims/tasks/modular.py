"""Addition modulo a prime by a one-layer transformer, from some of the pairs (Power et al. 2022, arXiv 2201.02177)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.claims.tasks.losses import of_examples
from ontogeny.data.base import Array

Named = dict[str, Array]
loss = of_examples
"""Of a sum, and how often it is right."""


class Transformer(nn.Module):
    """Two numbers and an equals sign in, scores for their sum out. Only the last place asks, so only it is computed."""

    def __init__(self, prime: int = 97, width: int = 64, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.embed = nn.Embedding(prime + 1, width)
        self.position = nn.Parameter(torch.randn(3, width) * 0.02)
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.unembed = nn.Linear(width, prime, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, prime] of i64[batch, 3]."""
        h = self.embed(x) + self.position  # [batch, 3, width]
        batch, _, width = h.shape
        q = self._heads(self.query(h[:, -1:]))
        k, v = (self._heads(part) for part in self.key_value(h).chunk(2, dim=-1))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, width)
        h = h[:, -1] + self.out(mixed)
        scores: Tensor = self.unembed(h + self.down(F.relu(self.up(h))))
        return scores

    def _heads(self, x: Tensor) -> Tensor:
        """[batch, places, width] as [batch, heads, places, width / heads]."""
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)


class Embedded(nn.Module):
    """Both numbers embedded by one table, and two hidden layers: the MLP of "Grokking Baseline Revisited" (Chou 2025).

    Sizes as published, after Prieto et al. 2025 (arXiv 2501.04697): embeddings of 100, hidden layers of 200, no biases.
    """

    def __init__(self, prime: int = 113, width: int = 100, hidden: int = 200) -> None:
        super().__init__()
        self.embed = nn.Embedding(prime, width)
        self.first = nn.Linear(2 * width, hidden, bias=False)
        self.second = nn.Linear(hidden, hidden, bias=False)
        self.unembed = nn.Linear(hidden, prime, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, prime] of i64[batch, 3], whose third is not looked at."""
        h = F.relu(self.first(self.embed(x[:, :2]).flatten(1)))
        scores: Tensor = self.unembed(F.relu(self.second(h)))
        return scores


def by_fan_in(model: nn.Module) -> nn.Module:
    """The same model, its matrices drawn anew with deviation 1 / sqrt(columns), embeddings too, by torch's generator.

    As is usual for this task (Nanda et al. 2023, arXiv 2301.05217). PyTorch's own embeddings, of deviation 1, take a
    small rate's decay thousands of steps to wear off.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.normal_(0.0, parameter.shape[1] ** -0.5)
    return model


def pairs(prime: int, share: float, seed: int) -> tuple[Named, Named]:
    """A share of all pairs to learn from and the others held out: x i64[n, 3], the last the equals sign, y i64[n]."""
    a, b = np.divmod(np.arange(prime * prime), prime)
    x = np.stack([a, b, np.full_like(a, prime)], axis=1)
    order = np.random.default_rng(seed).permutation(len(x))
    cut = int(len(x) * share)
    named = {"x": x[order], "y": ((a + b) % prime)[order]}
    return {k: v[:cut] for k, v in named.items()}, {k: v[cut:] for k, v in named.items()}
