"""Real runs for the bench of scaling laws: a character model on the text of Python's own manual, in sizes and lengths.

Each is a run of its own that sees every example once, its learning rate falling in a straight line to zero over just
the steps that it takes, as a law of parameters and tokens supposes. A token is a character to be foretold.
"""

from __future__ import annotations

from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import ontogeny as og
from ontogeny.record.run import Run

CONTEXT, BATCH, HELD, RATE = 8, 64, 4096, 4e-3
SIZES = (4, 8, 16, 32, 64)
LENGTHS = (16_384, 32_768, 65_536, 131_072, 262_144)


def characters() -> tuple[np.ndarray[Any, Any], int]:
    """The whole text as numbers of characters; the rarest share one."""
    text = "".join(topics[name] for name in sorted(topics))
    common = sorted(set(text), key=lambda one: (-text.count(one), one))[:95]
    number = {one: place for place, one in enumerate(common)}
    return np.array([number.get(one, 95) for one in text], np.int64), 96


def windows(text: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Every character with the eight before it, in an order that is always the same."""
    rows = np.lib.stride_tricks.sliding_window_view(text, CONTEXT + 1)
    rows = rows[np.random.default_rng(0).permutation(len(rows))]
    return {"x": np.ascontiguousarray(rows[:, :CONTEXT]), "y": np.ascontiguousarray(rows[:, CONTEXT])}


class Characters(nn.Module):
    """Embeddings of eight characters, one hidden layer, the next one's scores."""

    def __init__(self, width: int, kinds: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(kinds, width)
        self.hidden = nn.Linear(CONTEXT * width, 4 * width)
        self.out = nn.Linear(4 * width, kinds)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.relu(self.hidden(self.embed(x).flatten(1))))


def loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Nats a character."""
    return nn.functional.cross_entropy(model(batch["x"]), batch["y"])


def trained(root: Path, sizes: tuple[int, ...] = SIZES, lengths: tuple[int, ...] = LENGTHS) -> list[Run]:
    """A finished run for each size and length."""
    text, kinds = characters()
    rows = windows(text)
    valid = {name: array[:HELD] for name, array in rows.items()}
    found = []
    for width in sizes:
        torch.manual_seed(0)
        example = {name: array[:BATCH] for name, array in rows.items()}
        learner = og.capture(Characters(width, kinds), loss, og.adamw(lr=RATE, weight_decay=0.0), example, valid=valid)
        for length in lengths:
            own = {name: array[HELD : HELD + length] for name, array in rows.items()}
            steps = length // BATCH
            run = og.create(
                root / f"{width}-{length}", learner, og.Arrays(own, BATCH), valid=valid, evaluate_every=steps,
                keyframe_every=steps,
            )  # fmt: skip
            run.set_dial("lr", 0.0, over=steps)
            run.advance(steps)
            run.close()
            found.append(run)
    return found
