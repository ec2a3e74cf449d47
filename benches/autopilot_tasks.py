"""Tasks for the bench of autopilot, seconds a run: examples, a small network, a run's length, and how it is tested.

    modular   a + b modulo 23 by a perceptron over embeddings: memorised first, generalised with decay and time
    noisy     handwritten digits of which a part of the training labels is wrong
    shift     digits as they are and turned by a quarter, of which from the middle of a run on only the turned ones come
    text      the next character of the language's specification from the eight before it

A test set is seen by nobody but the bench.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

import ontogeny as og
from ontogeny.data.order import Order
from ontogeny.machine.learner import Learner

Rows = dict[str, npt.NDArray[np.generic]]
TEXT = Path(__file__).resolve().parent.parent / "docs" / "SPEC.md"
MODULUS, CONTEXT = 23, 8
DEFAULT_LR, DECAY = 1e-3, 0.01


class Embedded(nn.Module):
    """A perceptron of one hidden layer over the embeddings of some symbols side by side."""

    def __init__(self, symbols: int, length: int, width: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(symbols, width)
        self.hidden, self.out = nn.Linear(length * width, hidden), nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(F.relu(self.hidden(self.embed(x).flatten(1))))


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Cross entropy and accuracy."""
    scores = model(batch["x"])
    accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
    return {"loss": F.cross_entropy(scores, batch["y"]), "accuracy": accuracy}


class Changing(Order):
    """An order over all examples up to a step, and over the second half of them from there on."""

    def __init__(self, order: Order, change: int) -> None:
        super().__init__(order.count, order.batch_size, order.seed)
        self.change = change
        self.half = Order(order.count // 2, order.batch_size, order.seed)

    def parts(self) -> tuple[int | bool | str, ...]:
        """What the order depends on."""
        return (*super().parts(), "changing", self.change)

    def indices(self, step: int) -> npt.NDArray[np.int64]:
        """The numbers of the examples of a step."""
        if step < self.change:
            return super().indices(step)
        return self.half.indices(step - self.change) + self.half.count


@dataclass(frozen=True)
class Task:
    """One task as a seed draws it. From the step `change` on, only the second half of the examples comes."""

    name: str
    train: Rows
    valid: Rows
    test: Rows
    steps: int
    batch: int
    make: Callable[[], nn.Module]
    goal: str = ""
    change: int = 0
    seed: int = 0

    def module(self) -> nn.Module:
        """The network with the initial values of its seed."""
        torch.manual_seed(self.seed)
        return self.make()

    def data(self, shift: int = 0) -> og.Arrays:
        """The batches; `shift` gives another order."""
        data = og.Arrays(self.train, self.batch, self.seed + 1000 * shift)
        if self.change:
            data.order = Changing(data.order, self.change)
        return data

    def learner(self) -> Learner:
        """The network with AdamW as a program, with the initial values of its seed."""
        captured = _captured(self.name)
        values = {name: array.copy() for name, array in captured.values.items()}
        tensors = dict(self.module().named_parameters())
        for decl in captured.program.named_params():
            flat = values[decl.arena or decl.name].reshape(-1)
            flat[decl.offset : decl.offset + decl.type.size] = tensors[decl.name].detach().numpy().reshape(-1)
        return Learner(captured.program, values)


def modular(seed: int) -> Task:
    """a + b modulo 23; 60% of the pairs are learned from."""
    a, b = np.divmod(np.arange(MODULUS**2), MODULUS)
    rows = {"x": np.stack([a, b], 1).astype(np.int64), "y": ((a + b) % MODULUS).astype(np.int64)}
    order = np.random.default_rng(seed).permutation(MODULUS**2)
    train, valid, test = np.split(order, [330, 430])
    make = lambda: Embedded(MODULUS, 2, 32, 128, MODULUS)  # noqa: E731
    return Task("modular", *_parts(rows, train, valid, test), 400, 330, make, "valid.accuracy >= 0.99", seed=seed)


def noisy(seed: int) -> Task:
    """800 digits, one label in eight wrong."""
    draw = np.random.default_rng(seed)
    rows = _digits()
    train, valid, test = np.split(draw.permutation(len(rows["y"])), [800, 1200])
    learned, *rest = _parts(rows, train, valid, test)
    wrong = draw.permutation(800)[:100]
    y = learned["y"].copy()
    y[wrong] = (y[wrong] + draw.integers(1, 10, 100)) % 10
    return Task("noisy", {**learned, "y": y}, *rest, 300, 64, _perceptron, seed=seed)


def shift(seed: int) -> Task:
    """Digits, and digits turned by a quarter, which alone come after 150 steps. Held out are as many of both."""
    rows = _digits()
    train, valid, test = np.split(np.random.default_rng(seed).permutation(len(rows["y"])), [1000, 1400])
    upright, *rest = _parts(rows, train, valid, test)
    both = [_joined(part, _turned(part)) for part in rest]
    return Task("shift", _joined(upright, _turned(upright)), *both, 300, 32, _perceptron, change=150, seed=seed)


def text(seed: int) -> Task:
    """The next character from the eight before it; parts of the text that do not meet are learned from and held out."""
    raw = TEXT.read_text(encoding="utf-8")[:16_000]
    known = sorted(set(raw))
    codes = np.array([known.index(letter) for letter in raw], np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(codes, CONTEXT + 1)
    rows = {"x": np.ascontiguousarray(windows[:, :-1]), "y": np.ascontiguousarray(windows[:, -1])}
    blocks = np.random.default_rng(seed).permutation(len(rows["y"]) // 300)
    parts = [np.concatenate([np.arange(300 * b, 300 * b + 292) for b in some]) for some in
             (blocks[:37], blocks[37:45], blocks[45:])]  # fmt: skip
    symbols = len(known)
    make = lambda: Embedded(symbols, CONTEXT, 16, 96, symbols)  # noqa: E731
    return Task("text", *_parts(rows, *parts), 400, 64, make, seed=seed)


TASKS: dict[str, Callable[[int], Task]] = {"modular": modular, "noisy": noisy, "shift": shift, "text": text}


@cache
def _captured(name: str) -> Learner:
    task = TASKS[name](0)
    example = {key: array[: task.batch] for key, array in task.train.items()}
    rule = og.adamw(lr=DEFAULT_LR, weight_decay=DECAY)
    return og.capture(task.module(), loss, rule, example, valid=task.valid)


def _perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


@cache
def _digits() -> Rows:
    x, y = load_digits(return_X_y=True)
    return {"x": (x / 16).astype(np.float32), "y": y.astype(np.int64)}


def _turned(rows: Rows) -> Rows:
    x = np.rot90(rows["x"].reshape(-1, 8, 8), axes=(1, 2)).reshape(-1, 64)
    return {**rows, "x": np.ascontiguousarray(x)}


def _joined(one: Rows, other: Rows) -> Rows:
    return {name: np.concatenate([one[name], other[name]]) for name in one}


def _parts(rows: Rows, *numbers: npt.NDArray[np.int64]) -> list[Rows]:
    return [{name: array[some] for name, array in rows.items()} for some in numbers]
