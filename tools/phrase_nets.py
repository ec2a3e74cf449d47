"""The network that says what a piece of a text is meant to do, fitted on torch (`network.py` reads it)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from phrase_files import Example
from torch import nn

from ontogeny.steer.phrases.features import bucket
from ontogeny.steer.phrases.network import GAIN

BUCKETS, HIDDEN = 1 << 14, 64
BATCH = 192


class Labels(nn.Module):
    """One hidden layer over hashed features; some of them are left out while it is fitted."""

    def __init__(self, names: Sequence[str], hidden: int = HIDDEN) -> None:
        super().__init__()
        self.names = list(names)
        self.rows = nn.EmbeddingBag(BUCKETS, hidden, mode="sum")
        nn.init.normal_(self.rows.weight, std=0.05)
        self.out = nn.Linear(hidden, len(names))
        self.drop = nn.Dropout(0.5)

    def forward(self, flat: torch.Tensor, starts: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
        """Scores [pieces, names] of pieces: their buckets, where each one's begin, the root of how many it has."""
        return self.out(self.drop(torch.relu(self.rows(flat, starts) * (GAIN / root)[:, None])))


class Pieces:
    """Examples as arrays, so that many are taken at once."""

    def __init__(self, examples: Sequence[Example]) -> None:
        rows = [np.unique([bucket(one, BUCKETS) for one in each.features]) for each in examples]
        self.sizes = np.array([len(one) for one in rows])
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        self.flat = np.concatenate(rows)

    def taken(
        self, at: np.ndarray, draw: np.random.Generator | None = None, kept: float = 1.0
    ) -> tuple[torch.Tensor, ...]:
        """Some of them, each bucket kept with a probability."""
        sizes = self.sizes[at]
        ends = np.cumsum(sizes)
        inside = np.arange(ends[-1]) - np.repeat(ends - sizes, sizes) + np.repeat(self.starts[at], sizes)
        flat, owner = self.flat[inside], np.repeat(np.arange(len(at)), sizes)
        if draw is not None:
            stays = draw.random(len(flat)) < kept
            flat, owner = flat[stays], owner[stays]
        counts = np.bincount(owner, minlength=len(at))
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        root = torch.from_numpy(np.sqrt(np.maximum(counts, 1)).astype(np.float32))
        return torch.from_numpy(flat), torch.from_numpy(starts), root


def fit_labels(
    examples: Sequence[Example], epochs: int, seed: int = 0, kept: float = 0.6, lr: float = 6e-3, hidden: int = HIDDEN,
) -> Labels:  # fmt: skip
    """The network that says the labels of pieces."""
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    net = Labels(sorted({one.label for one in examples}), hidden)
    place = {name: at for at, name in enumerate(net.names)}
    pieces = Pieces(examples)
    labels = torch.tensor([place[one.label] for one in examples])
    weights = torch.tensor([one.weight for one in examples])
    adam = torch.optim.Adam(net.parameters(), lr=lr, fused=True)
    for epoch in range(epochs):
        adam.param_groups[0]["lr"] = lr * (1 - epoch / epochs) + 1e-4
        order = draw.permutation(len(examples))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            loss = nn.functional.cross_entropy(net(*pieces.taken(batch, draw, kept)), labels[batch], reduction="none")
            adam.zero_grad()
            (loss * weights[batch]).mean().backward()
            adam.step()
    return net.eval()


def said_by(net: Labels, examples: Sequence[Example]) -> np.ndarray:
    """Log probabilities [pieces, labels]."""
    if not examples:
        return np.zeros((0, 0))
    with torch.no_grad():
        return torch.log_softmax(net(*Pieces(examples).taken(np.arange(len(examples)))), 1).numpy()
