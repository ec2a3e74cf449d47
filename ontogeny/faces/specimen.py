"""A small real run to measure on: a transformer that learns the letters of this package's own text, 40 steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny
from ontogeny.data.arrays import Arrays
from ontogeny.front.capture import capture
from ontogeny.front.rules import adamw
from ontogeny.record.run import Run, create

WIDTH, LAYERS, HEADS, LENGTH, BATCH, STEPS = 128, 2, 4, 32, 8, 40


class Layer(nn.Module):
    """Attention to what came before, and two products."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mix, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """[batch, length, width] to the same."""
        batch, length, _ = h.shape
        parts = self.mix(self.first(h)).view(batch, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
        h = h + self.out(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
        found: torch.Tensor = h + self.down(F.gelu(self.up(self.second(h))))
        return found


class Letters(nn.Module):
    """Scores of the next letter: [batch, length, 256]."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(256, WIDTH), nn.Parameter(torch.randn(LENGTH, WIDTH) * 0.02)
        self.layers = nn.Sequential(*(Layer() for _ in range(LAYERS)))
        self.last = nn.Linear(WIDTH, 256)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The scores of letters [batch, length]."""
        found: torch.Tensor = self.last(self.layers(self.embed(x) + self.place))
        return found


def loss(model: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Cross entropy of the next letter."""
    return F.cross_entropy(model(batch["x"]).flatten(0, 1), batch["y"].flatten())


def specimen(folder: Path) -> Run:
    """Trains it into a folder, on one thread."""
    torch.manual_seed(0)
    sources = sorted(Path(ontogeny.__file__).parent.rglob("*.py"))
    text = np.frombuffer(b"".join(path.read_bytes() for path in sources), np.uint8).astype(np.int64)
    rows = text[: len(text) // (LENGTH + 1) * (LENGTH + 1)].reshape(-1, LENGTH + 1)
    data = {"x": np.ascontiguousarray(rows[:, :-1]), "y": np.ascontiguousarray(rows[:, 1:])}
    example = {name: array[:BATCH] for name, array in data.items()}
    learner = capture(Letters(), loss, adamw(lr=1e-3), example)
    run = create(folder, learner, Arrays(data, batch_size=BATCH), seed=0)
    run.advance(STEPS)
    return run


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread within."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
