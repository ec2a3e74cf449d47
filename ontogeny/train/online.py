"""A network that learns a stream as it comes: a run whose every step is given the next symbols, and then learns them.

The loss of a step is taken before it learns from it, so the recorded losses are a code of the stream that sends no
parameter (Dawid 1984): `ask.capacity.prequential` adds them up. What a symbol is predicted from is what came before it.

Text and images are classes: which byte comes, or by how much a pixel differs from the median of its neighbours. A
sample of sound is a whole number by a logistic distribution, whose middle and width the network tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.data.arrays import Arrays
from ontogeny.front.capture import capture
from ontogeny.front.rules import Rule, adamw
from ontogeny.record.run import Run
from ontogeny.record.temporary import temporary

RATE = 2e-3
LETTERS, SAMPLES = 8, 32
EVEN = 1e-4
"""The share of a sample's probability that is even over all samples, so that no surprise costs more than 30 bits."""
Ints = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Task:
    """What a stream is to a network: examples in the order in which they come, `batch` a step, and what learns them."""

    examples: Mapping[str, npt.NDArray[Any]]
    model: nn.Module
    loss: Any
    batch: int
    rule: Rule = field(default_factory=lambda: adamw(lr=RATE, weight_decay=0.0))


@contextmanager
def learned_online(task: Task, seed: int = 0) -> Iterator[Run]:
    """The run, once it has gone through the stream; it is gone when the block ends."""
    batch = min(task.batch, len(task.examples["y"]))
    example = {name: values[:batch] for name, values in task.examples.items()}
    data = Arrays(dict(task.examples), batch_size=batch, shuffle=False, drop_last=False)
    learner = capture(task.model, task.loss, task.rule, example)
    with temporary(learner, data, seed=seed) as run:
        run.advance(data.order.steps_per_epoch)
        yield run


class Letters(nn.Module):
    """The last few symbols, each by a table, and two layers: scores f32[batch, symbols] of i64[batch, LETTERS]."""

    def __init__(self, symbols: int, width: int = 24, hidden: int = 192) -> None:
        super().__init__()
        self.embed = nn.Embedding(symbols + 1, width)
        self.first, self.scores = nn.Linear(LETTERS * width, hidden), nn.Linear(hidden, symbols)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of what comes next."""
        scores: Tensor = self.scores(F.relu(self.first(self.embed(x).flatten(1))))
        return scores


class Pixels(nn.Module):
    """Numbers f32[batch, inputs] to scores f32[batch, symbols] by two layers."""

    def __init__(self, inputs: int, symbols: int, hidden: int = 96) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)
        self.scores = nn.Linear(hidden, symbols)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the difference."""
        scores: Tensor = self.scores(F.relu(self.second(F.relu(self.first(x)))))
        return scores


class Samples(nn.Module):
    """Samples before, f32[batch, SAMPLES] in units of the greatest, to a middle and the logarithm of a width."""

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.straight, self.first = nn.Linear(SAMPLES, 2), nn.Linear(SAMPLES, hidden)
        self.second = nn.Linear(hidden, 2)

    def forward(self, x: Tensor) -> Tensor:
        """f32[batch, 2]: what is straight in the samples, and what is not."""
        found: Tensor = self.straight(x) + self.second(torch.tanh(self.first(x)))
        return found


def by_class(model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    """Cross entropy in nats."""
    return F.cross_entropy(model(batch["x"]), batch["y"])


def by_number(model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    """Nats of whole numbers from -`half` to `half` - 1 by a logistic distribution, in units of `size`."""
    middle, width = (part[:, 0] for part in model(batch["x"]).split(1, dim=1))
    scale = batch["size"] * torch.exp(width - 2.0) + 0.2
    away = batch["y"] - middle * batch["size"]
    share = torch.sigmoid((away + 0.5) / scale) - torch.sigmoid((away - 0.5) / scale)
    return -torch.log((1 - EVEN) * share.clamp_min(0.0) + EVEN / (2 * batch["half"])).mean()


def of_text(symbols: Ints, bits: int, seed: int = 0) -> Task:
    """Symbols [n]: each by the LETTERS before it."""
    torch.manual_seed(seed)
    many, padded = 1 << bits, np.concatenate([np.full(LETTERS, 1 << bits), symbols.astype(np.int64)])
    before = np.lib.stride_tricks.sliding_window_view(padded[:-1], LETTERS)
    return Task({"x": np.ascontiguousarray(before), "y": symbols.astype(np.int64)}, Letters(many), by_class, 8)


def of_sound(symbols: Ints, bits: int, seed: int = 0) -> Task:
    """Symbols [n] in offset binary: each by the SAMPLES before it, in units of the greatest of them."""
    torch.manual_seed(seed)
    half = 1 << bits - 1
    samples = (symbols.astype(np.int64) - half).astype(np.float32)
    padded = np.concatenate([np.zeros(SAMPLES, np.float32), samples])
    before = np.lib.stride_tricks.sliding_window_view(padded[:-1], SAMPLES)
    size = np.abs(before).max(axis=1) + 1.0
    examples = {
        "x": before / size[:, None],
        "y": samples,
        "size": size,
        "half": np.full(len(samples), half, np.float32),
    }
    return Task(examples, Samples(), by_number, 8)


def of_images(near: npt.NDArray[np.float32], difference: Ints, bits: int, seed: int = 0) -> Task:
    """Differences [n], as symbols of so many bits, each by the numbers near it [n, inputs]."""
    torch.manual_seed(seed)
    return Task({"x": near, "y": difference.astype(np.int64)}, Pixels(near.shape[1], 1 << bits), by_class, 64)
