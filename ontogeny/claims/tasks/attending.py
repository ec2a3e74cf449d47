"""Characters foretold by attention over the 128 before them: the network beside the one of `decay` that sees eight.

One block. What goes into it is each letter together with the one before, so that a key can say what came before a
place; with four letters in place of two the same steps were worse by 0.05 bits on held-out text (LOG.md). Places are
told by rotation (Su et al. 2021, RoFormer). What is added to the residual begins at 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.claims.tasks.decay import DECAYS, Kind
from ontogeny.claims.tasks.text import Named, alphabet, codes, continued, windows

CONTEXT, STRIDE, WINDOWS = 128, 8, 4
LETTER, HEADS, WIDER = 32, 4, 2
LONGEST = 100.0
"""Places over which the slowest pair of a head turns by one radian."""


class Attending(nn.Module):
    """Letters in, scores for the next one out at every place. `width` is a multiple of 8."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(alphabet()), LETTER)
        self.first = nn.Linear(2 * LETTER, width, bias=False)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.qkv, self.mix = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, WIDER * width, bias=False), nn.Linear(WIDER * width, width, bias=False)
        self.out = nn.Linear(width, len(alphabet()), bias=False)
        for added in (self.mix, self.down):
            nn.init.zeros_(added.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, context, letters] of i64[batch, context]."""
        letters = self.embed(x)
        before = F.pad(letters, (0, 0, 1, 0))[:, :-1]
        h = self.first(torch.cat([before, letters], dim=-1))
        h = h + self.mix(self._attended(self.norm1(h)))
        h = h + self.down(F.gelu(self.up(self.norm2(h))))
        scores: Tensor = self.out(self.norm3(h))
        return scores

    def _attended(self, h: Tensor) -> Tensor:
        batch, length, width = h.shape
        parts = self.qkv(h).chunk(3, dim=-1)
        q, k, v = (part.view(batch, length, HEADS, -1).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(rotated(q), rotated(k), v, is_causal=True)
        return mixed.transpose(1, 2).reshape(batch, length, width)


def rotated(heads: Tensor) -> Tensor:
    """f32[batch, heads, places, size], each pair turned by an angle that grows with the place; `size` is even."""
    pairs = heads.shape[-1] // 2
    angles = torch.outer(torch.arange(heads.shape[-2]).float(), LONGEST ** (-torch.arange(pairs) / pairs))
    left, right = heads.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([left * cos - right * sin, left * sin + right * cos], dim=-1)


def texts() -> tuple[Named, Named]:
    """Windows of both texts, of the held-out one with half a window of what comes before: x, y i64[n, CONTEXT]."""
    learnt, held_out = codes()
    return windows(learnt, CONTEXT, STRIDE), continued(learnt, held_out, CONTEXT)


def loss(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cross entropy of the next character in bits: at every place to learn, of second halves to evaluate."""
    scores, y = model(batch["x"]), batch["y"]
    if not model.training:
        scores, y = scores[:, CONTEXT // 2 :], y[:, CONTEXT // 2 :]
    return {"loss": F.cross_entropy(scores.flatten(0, 1), y.flatten()) / math.log(2)}


KIND = Kind(Attending, texts, loss, WINDOWS)
FULL: dict[str, Any] = {
    "rates": {"64": 5e-3, "192": 2e-3, "384": 1e-3},
    "decays": list(DECAYS),
    "steps": 1500,
    "mode": "fast",
}
"""The experiment of `benches/decay.py --attention`; the rates were best of a few on another seed (LOG.md)."""
