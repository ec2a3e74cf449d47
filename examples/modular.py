"""Addition modulo 97 by a one-layer transformer, from 40% of the pairs: it memorises, then suddenly generalises.

After Power et al. 2022 (arXiv 2201.02177), at a learning rate and decay that make it quick.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og

PRIME = 97


class Transformer(nn.Module):
    """Two numbers and an equals sign in, scores for their sum out. Only the last place asks, so only it is computed."""

    def __init__(self, width: int = 64, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.embed = nn.Embedding(PRIME + 1, width)
        self.position = nn.Parameter(torch.randn(3, width) * 0.02)
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.unembed = nn.Linear(width, PRIME, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.embed(x) + self.position  # [batch, 3, width]
        batch, length, width = h.shape
        q = self.query(h[:, -1:]).view(batch, 1, self.heads, -1).transpose(1, 2)
        k, v = (t.view(batch, length, self.heads, -1).transpose(1, 2) for t in self.key_value(h).chunk(2, dim=-1))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, width)
        h = h[:, -1] + self.out(mixed)
        h = h + self.down(F.relu(self.up(h)))
        return self.unembed(h)


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Cross entropy and accuracy."""
    scores = model(batch["x"])
    accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
    return {"loss": F.cross_entropy(scores, batch["y"]), "accuracy": accuracy}


def pairs(share: float, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """All pairs with their sums, a share of them to train on and the rest held out."""
    a, b = np.divmod(np.arange(PRIME * PRIME), PRIME)
    x = np.stack([a, b, np.full_like(a, PRIME)], axis=1)
    order = np.random.default_rng(seed).permutation(len(x))
    cut = int(len(x) * share)
    named = {"x": x[order], "y": ((a + b) % PRIME)[order]}
    return {k: v[:cut] for k, v in named.items()}, {k: v[cut:] for k, v in named.items()}


def experiment(
    lr: float = 1.5e-2, weight_decay: float = 1.0, batch_size: int = 1024, share: float = 0.4, seed: int = 0
) -> og.Experiment:
    """The task, ready to run."""
    torch.manual_seed(seed)
    train, valid = pairs(share, seed)
    example = {name: values[:batch_size] for name, values in train.items()}
    rule = og.adamw(lr=lr, weight_decay=weight_decay, betas=(0.9, 0.98))
    model = Transformer()
    learner = og.capture(model, loss, rule, example, valid=valid, predict=lambda m, b: m(b["x"]), name="modular")
    data = og.Arrays(train, batch_size=batch_size, seed=seed)
    held_out = {f"valid.{name}": values for name, values in valid.items()}
    goal = og.Goal.parse("valid.accuracy >= 0.99")
    return og.Experiment(learner, data, held_out, seed=seed, evaluate_every=5, until=goal, name="modular")
