"""Characters foretold from the eight before them, by networks of several widths and decays: bits per held-out one.

A feed-forward network (Bengio et al. 2003), since it comes to know 60,000 characters by heart in seconds; a
transformer that costs as much is still learning by then, and there is nothing for decay to hold back (`attending` asks
the same of attention, at four times the cost). Decay is decoupled and times the learning rate, as AdamW has it, and of
matrices alone: with layer norms decayed as well, strong decay was worse. The rate falls along half a cosine to a
twentieth. What counts is the last evaluation, after 1,998 of 2,000 steps, so that stopping early is no merit of decay.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.claims.tasks.text import Named, alphabet, codes
from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.front.capture import capture
from ontogeny.front.rules import Rule, adamw
from ontogeny.front.rules.schedule import cosine, warmup
from ontogeny.record.run import Run
from ontogeny.record.temporary import temporary

BEFORE, LETTER = 8, 32
BATCH, WARM, LOOKS = 256, 30, 3
DECAYS = (0.1, 1.0, 3.0, 10.0)
FULL: dict[str, Any] = {
    "rates": {"64": 5e-3, "192": 2e-3, "384": 2e-3},
    "decays": list(DECAYS),
    "steps": 2000,
    "mode": "fast",
}
"""The experiment of two claims and of `benches/decay.py`; the rates were best on another seed (LOG.md)."""
QUICK: dict[str, Any] = {"rates": {"8": 1e-2, "16": 1e-2}, "decays": [0.1, 1.0], "steps": 3, "mode": "exact"}


class Before(nn.Module):
    """The letters before in, scores for the next one out: two layers, the second beside a residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(alphabet()), LETTER)
        self.first = nn.Linear(BEFORE * LETTER, width, bias=False)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, len(alphabet()), bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, letters] of i64[batch, BEFORE]."""
        h = self.first(self.embed(x).flatten(1))
        h = h + self.down(F.gelu(self.up(self.norm1(h))))
        scores: Tensor = self.out(self.norm2(h))
        return scores


def examples(given: Array) -> Named:
    """Every letter with those before it: x i64[n, BEFORE], y i64[n]."""
    return {"x": np.lib.stride_tricks.sliding_window_view(given, BEFORE)[:-1].copy(), "y": given[BEFORE:]}


def texts() -> tuple[Named, Named]:
    """The examples to learn from and those held out."""
    learnt, held_out = codes()
    return examples(learnt), examples(held_out)


def loss(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cross entropy of the next character in bits."""
    return {"loss": F.cross_entropy(model(batch["x"]), batch["y"]) / math.log(2)}


def rule(rate: float, steps: int) -> Rule:
    """AdamW whose decay is of matrices alone, and whose rate falls over so many steps."""
    spared = adamw(rate, betas=(0.9, 0.95)).grouped({"norm*": {"weight_decay": 0.0}})
    return spared.with_clip(1.0).with_schedule(warmup(WARM, cosine(steps, 0.05)))


@dataclass(frozen=True, slots=True)
class Kind:
    """A network by its width; what it learns from and is held to, its loss in bits, and the examples of a step."""

    network: Callable[[int], nn.Module]
    texts: Callable[[], tuple[Named, Named]]
    loss: Callable[[nn.Module, Mapping[str, Tensor]], dict[str, Tensor]]
    batch: int


EIGHT_LETTERS = Kind(Before, texts, loss, BATCH)


@dataclass(frozen=True, slots=True)
class Cell:
    """A network that learned: bits per held-out character on the way and at the last evaluation, bits per character
    learned from over the last 50 steps, and the CPU seconds of its steps."""

    decay: float
    steps: tuple[int, ...]
    held_out: tuple[float, ...]
    trained: float
    seconds: float

    @property
    def bits(self) -> float:
        """Per held-out character at the last evaluation."""
        return self.held_out[-1]


@cache
def cells(
    width: int, rate: float, decays: tuple[float, ...], seed: int, steps: int, mode: str, kind: Kind = EIGHT_LETTERS
) -> tuple[Cell, ...]:
    """A width with each decay: forks of one run at its first step, so the same first values and the same batches.

    They are kept while the process lives: the two claims that are about them share them.
    """
    torch.manual_seed(seed)
    train, valid = kind.texts()
    first = {name: values[: kind.batch] for name, values in train.items()}
    learner = capture(kind.network(width), kind.loss, rule(rate, steps), first, valid=valid)
    data, every = Arrays(train, batch_size=kind.batch, seed=seed), max(1, steps // LOOKS)
    options = {"mode": mode, "threads": 1}
    with temporary(learner, data, valid=valid, seed=seed, options=options, evaluate_every=every) as run:
        return tuple(_cell(run, decay, steps) for decay in decays)


def _cell(run: Run, decay: float, steps: int) -> Cell:
    with run.fork(0, run.folder.with_name(f"decay-{decay:g}"), {"weight_decay": decay}) as fork:
        began = time.process_time()
        fork.advance(steps)
        seconds, rows = time.process_time() - began, fork.evaluations()
        trained = float(fork.metrics()["loss"][-50:].mean())
    held_out = tuple(float(row["loss"]) for row in rows)
    return Cell(decay, tuple(int(row["step"]) for row in rows), held_out, trained, seconds)


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of some widths, each with the same decays, in order."""

    cells: Mapping[int, Sequence[Cell]]

    def best(self, width: int) -> Cell:
        """The decay of the grid at which a width is best."""
        return min(self.cells[width], key=lambda cell: cell.bits)

    def at(self, width: int, decay: float) -> Cell:
        """A width with a decay. Raises StopIteration for one that was not tried."""
        return next(cell for cell in self.cells[width] if cell.decay == decay)

    def gains(self, decay: float | None = None) -> list[float]:
        """How many bits each width is better than the one before: with a decay, or each with its best."""
        bits = [(self.best(width) if decay is None else self.at(width, decay)).bits for width in sorted(self.cells)]
        return [narrow - wide for narrow, wide in pairwise(bits)]

    def lowest(self, width: int) -> float:
        """The best decay between those of the grid: where a parabola in its logarithm through the best cell and its
        neighbours is lowest; the end of the grid where that is best."""
        bits = [cell.bits for cell in self.cells[width]]
        logs = np.log([cell.decay for cell in self.cells[width]])
        at = int(np.argmin(bits))
        if at in (0, len(bits) - 1):
            return float(np.exp(logs[at]))
        near = slice(at - 1, at + 2)
        square, slope, _ = np.polyfit(logs[near] - logs[at], bits[near], 2)
        return float(np.exp(logs[at] - slope / (2 * square)))

    def power(self) -> tuple[float, float]:
        """The power of the width that the best decay grows with, and the logarithm of its factor."""
        logs = np.log(sorted(self.cells)), np.log([self.lowest(width) for width in sorted(self.cells)])
        power, factor = np.polyfit(*logs, 1)
        return float(power), float(factor)

    def foretold(self, width: int) -> float:
        """The best decay of another width, by that power."""
        power, factor = self.power()
        return float(width**power * math.exp(factor))


def grid(
    seed: int,
    *,
    rates: Mapping[str, float],
    decays: Sequence[float],
    steps: int,
    mode: str,
    kind: Kind = EIGHT_LETTERS,
) -> Grid:
    """Every width, each with its rate, with every decay."""
    return Grid(
        {int(width): cells(int(width), rate, tuple(decays), seed, steps, mode, kind) for width, rate in rates.items()}
    )
