"""A small GPT that learns to continue a text, character by character.

    ontogeny run examples/gpt_text.py text=novel.txt

The last tenth of the text is held out. Without `text` it reads this file, which is far too short to learn much from.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og


class Block(nn.Module):
    """Causal attention and a feed-forward layer, each after a layer norm and beside a residual."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down, self.drop = nn.Linear(width, 4 * width), nn.Linear(4 * width, width), nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        parts = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts)
        p = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=p)
        x = x + self.drop(self.mix(mixed.transpose(1, 2).reshape(batch, length, width)))
        return x + self.drop(self.down(F.gelu(self.up(self.norm2(x)))))


class GPT(nn.Module):
    """Characters in, scores for the next character out; both ends share one table."""

    def __init__(self, vocabulary: int, context: int, width: int, heads: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(depth))
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.out.weight = self.embed.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.drop(self.embed(x) + self.place(torch.arange(x.shape[1])))  # [batch, context, width]
        for block in self.blocks:
            h = block(h)
        return self.out(self.norm(h))


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Cross entropy of the next character in nats, and how often the likeliest is right."""
    scores = model(batch["x"])
    accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
    return {"loss": F.cross_entropy(scores.flatten(0, 1), batch["y"].flatten()), "accuracy": accuracy}


def windows(codes: np.ndarray, context: int, stride: int) -> dict[str, np.ndarray]:
    """Stretches of `context` characters, `stride` apart, and the characters that follow each."""
    starts = np.arange(0, len(codes) - context, stride)
    places = starts[:, None] + np.arange(context)
    return {"x": codes[places], "y": codes[places + 1]}


def experiment(
    text: str = __file__,
    lr: float = 3e-3,
    weight_decay: float = 0.1,
    dropout: float = 0.0,
    batch_size: int = 16,
    context: int = 64,
    width: int = 64,
    heads: int = 4,
    depth: int = 4,
    seed: int = 0,
) -> og.Experiment:
    """The task, ready to run."""
    torch.manual_seed(seed)
    letters = Path(text).read_text(encoding="utf-8")
    if len(letters) < 20 * context:
        raise og.OntogenyError(f"{text} has {len(letters)} characters; at least {20 * context} are needed")
    alphabet = sorted(set(letters))
    codes = np.array([alphabet.index(letter) for letter in letters])
    cut = len(codes) * 9 // 10
    train, valid = windows(codes[:cut], context, 1), windows(codes[cut:], context, context)
    valid = {name: values[:32] for name, values in valid.items()}
    example = {name: values[:batch_size] for name, values in train.items()}
    model = GPT(len(alphabet), context, width, heads, depth, dropout)
    rule = og.adamw(lr=lr, weight_decay=weight_decay, betas=(0.9, 0.99)).with_clip(1.0).with_schedule(og.warmup(50))
    learner = og.capture(model, loss, rule, example, valid=valid, predict=lambda m, b: m(b["x"]), name="gpt_text")
    data = og.Arrays(train, batch_size=batch_size, seed=seed)
    held_out = {f"valid.{name}": values for name, values in valid.items()}
    return og.Experiment(learner, data, held_out, seed=seed, evaluate_every=50, name="gpt_text")
