"""Characters of English as Python documents itself: 60,000 to learn from and the next 40,000 held out."""

from __future__ import annotations

from functools import cache
from pydoc_data import topics

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.claims.tasks.losses import of_places
from ontogeny.data.base import Array

LEARNT, HELD_OUT = 60_000, 40_000
SPREAD = 0.02
"""The standard deviation that letters and places begin with."""
Named = dict[str, Array]
loss = of_places
"""Of the next character, at every place."""


@cache
def letters() -> str:
    """The topics of `pydoc_data` in the order of their names, the first 100,000 characters.

    They differ between versions of Python, so figures do as well; what is said of them names the version.
    """
    return "\n".join(topics.topics[name] for name in sorted(topics.topics))[: LEARNT + HELD_OUT]


@cache
def alphabet() -> str:
    """Every character that occurs, in order."""
    return "".join(sorted(set(letters())))


def codes() -> tuple[Array, Array]:
    """Places in the alphabet, i64: those to learn from and those held out."""
    found = np.array([alphabet().index(letter) for letter in letters()])
    return found[:LEARNT], found[LEARNT:]


def windows(given: Array, context: int, stride: int) -> Named:
    """Stretches of `context` characters, `stride` apart, and what follows each character: x, y i64[n, context]."""
    places = np.arange(0, len(given) - context, stride)[:, None] + np.arange(context)
    return {"x": given[places], "y": given[places + 1]}


def continued(learnt: Array, held_out: Array, context: int) -> Named:
    """Windows whose second halves foretell the held-out text, each character once: x, y i64[n, context].

    `context` is even. First halves are the text before, so that every character has half a window before it. What is
    left over at the end of the held-out text, less than half a window, is in none.
    """
    half = context // 2
    return windows(np.concatenate([learnt[-half - 1 :], held_out]), context, half)


class Block(nn.Module):
    """Causal attention and a feed-forward layer, each after a layer norm and beside a residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """f32[batch, context, width] to the same."""
        batch, length, width = x.shape
        parts = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.mix(mixed.transpose(1, 2).reshape(batch, length, width))
        found: Tensor = x + self.down(F.gelu(self.up(self.norm2(x))))
        return found


class GPT(nn.Module):
    """Symbols in, scores for the next one out; both ends share one table. Symbols are characters unless counted.

    Places begin as small as letters do: at PyTorch's 1 the first norm leaves 2% of the letter, and a width of 128
    was still at the letters' frequencies after a thousand steps.
    """

    def __init__(
        self, width: int = 64, depth: int = 2, context: int = 64, heads: int = 4, symbols: int | None = None
    ) -> None:
        super().__init__()
        count = len(alphabet()) if symbols is None else symbols
        self.embed, self.place = nn.Embedding(count, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, count, bias=False)
        for table in (self.embed, self.place):
            nn.init.normal_(table.weight, std=SPREAD)
        self.out.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, context, symbols] of i64[batch, context]."""
        h = self.embed(x) + self.place(torch.arange(x.shape[1]))
        for block in self.blocks:
            h = block(h)
        scores: Tensor = self.out(self.norm(h))
        return scores
