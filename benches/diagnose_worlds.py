"""Small real trainings for the bench of diagnose: tasks, networks and rules that vary by seed, and healthy by design.

A world is what a seed draws: a task (blobs, handwritten digits, sequences), a network (MLPs of several depths and
nonlinearities, a small transformer), a rule and a learning rate that suits it. A network is captured once for each
rule; its initial values are drawn anew by PyTorch for each world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

import ontogeny as og
from ontogeny.machine.learner import Learner

STEPS = 240
EVERY = 4
"""Steps between evaluations."""
Arrays = dict[str, npt.NDArray[np.generic]]
NONLINEAR = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "sigmoid": nn.Sigmoid}


class Perceptron(nn.Module):
    """Layers of one width with a nonlinearity between."""

    def __init__(self, inputs: int, width: int, depth: int, classes: int, kind: str) -> None:
        super().__init__()
        sizes = [inputs, *[width] * depth]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.kind = NONLINEAR[kind]()
        self.out = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = self.kind(layer(x))
        return self.out(x)


class Transformer(nn.Module):
    """One block over a short sequence, and scores from its mean."""

    def __init__(self, tokens: int, length: int, width: int, classes: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, width)
        self.position = nn.Parameter(torch.randn(length, width) * 0.02)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.out = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.embed(x) + self.position
        q, k, v = self.qkv(self.norm1(h)).chunk(3, -1)
        h = h + self.mix(F.scaled_dot_product_attention(q, k, v))
        h = h + self.down(F.relu(self.up(self.norm2(h))))
        return self.out(h.mean(1))


class Halved(nn.Module):
    """A network whose parameters are kept in bfloat16."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner.to(torch.bfloat16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x.to(torch.bfloat16)).float()


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Cross entropy and accuracy."""
    scores = model(batch["x"])
    accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
    return {"loss": F.cross_entropy(scores, batch["y"]), "accuracy": accuracy}


@dataclass(frozen=True)
class Task:
    """Examples to learn from, held out for the run to see, and held out for nobody but the bench."""

    name: str
    train: Arrays
    valid: Arrays
    test: Arrays
    classes: int


def blobs(draw: np.random.Generator, count: int = 2048) -> Task:
    """Classes that are mixtures of two normal clouds each, in 16 dimensions, overlapping more or less."""
    classes, spread = int(draw.integers(3, 7)), float(draw.uniform(0.5, 1.1))
    centres = draw.normal(size=(classes, 2, 16))
    total = count + 256 + 1024
    y = draw.integers(0, classes, total)
    x = centres[y, draw.integers(0, 2, total)] + spread * draw.normal(size=(total, 16))
    return split("blobs", x.astype(np.float32), y, count, 256, 6)


def digits(draw: np.random.Generator, count: int = 1100) -> Task:
    """Handwritten digits of 8 x 8."""
    x, y = load_digits(return_X_y=True)
    order = draw.permutation(len(x))
    return split("digits", (x[order] / 16).astype(np.float32), y[order], count, 256, 10)


def sequences(draw: np.random.Generator, count: int = 3072) -> Task:
    """Eight tokens; the class is that of the token, of a few, that is there most often, and never a tie."""
    classes = 4
    total = 3 * (count + 256 + 1024)
    x = draw.integers(0, 12, (total, 8))
    counts = np.stack([(x % classes == c).sum(1) for c in range(classes)], 1)
    top = np.sort(counts, 1)
    x = x[top[:, -1] > top[:, -2]][: count + 256 + 1024]
    y = np.stack([(x % classes == c).sum(1) for c in range(classes)], 1).argmax(1)
    return split("sequences", x.astype(np.int64), y, count, 256, classes)


def split(name: str, x: npt.NDArray[np.generic], y: npt.NDArray[np.int64], count: int, held: int, classes: int) -> Task:
    """Three parts without a row in common."""
    _, first = np.unique(x, axis=0, return_index=True)
    keep = np.sort(first)
    named = {"x": x[keep], "y": y[keep].astype(np.int64)}
    parts = slice(0, count), slice(count, count + held), slice(count + held, None)
    train, valid, test = ({key: array[part] for key, array in named.items()} for part in parts)
    return Task(name, train, valid, test, classes)


TASKS: dict[str, Callable[[np.random.Generator], Task]] = {"blobs": blobs, "digits": digits, "sequences": sequences}
NETWORKS: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "blobs-relu-2": ("blobs", lambda: Perceptron(16, 48, 2, 6, "relu")),
    "blobs-tanh-2": ("blobs", lambda: Perceptron(16, 32, 2, 6, "tanh")),
    "blobs-gelu-3": ("blobs", lambda: Perceptron(16, 32, 3, 6, "gelu")),
    "digits-relu-1": ("digits", lambda: Perceptron(64, 64, 1, 10, "relu")),
    "digits-relu-3": ("digits", lambda: Perceptron(64, 48, 3, 10, "relu")),
    "digits-tanh-2": ("digits", lambda: Perceptron(64, 48, 2, 10, "tanh")),
    "sequences-transformer": ("sequences", lambda: Transformer(12, 8, 32, 4)),
    "blobs-relu-6": ("blobs", lambda: Perceptron(16, 32, 6, 6, "relu")),
    "blobs-tanh-6": ("blobs", lambda: Perceptron(16, 32, 6, 6, "tanh")),
    "blobs-sigmoid-6": ("blobs", lambda: Perceptron(16, 32, 6, 6, "sigmoid")),
    "blobs-relu-2-bf16": ("blobs", lambda: Halved(Perceptron(16, 48, 2, 6, "relu"))),
    "digits-relu-1-bf16": ("digits", lambda: Halved(Perceptron(64, 64, 1, 10, "relu"))),
}
USUAL = tuple(NETWORKS)[:7]
"""The networks of healthy worlds."""
RULES: dict[str, tuple[Callable[[], object], tuple[float, float]]] = {
    "adamw": (lambda: og.adamw(lr=1e-3, weight_decay=0.01), (1.5e-3, 6e-3)),
    "sgd": (lambda: og.sgd(lr=1e-1), (0.08, 0.35)),
    "momentum": (lambda: og.sgd(lr=1e-2, momentum=0.9), (0.01, 0.05)),
    "lion": (lambda: og.lion(lr=1e-3), (1.2e-3, 2.2e-3)),
}
"""Rules, and the learning rates that suit them here."""
EASY = {"sequences-transformer": ("adamw", "lion")}
"""Rules that a network gets anywhere with in so few steps."""
GENTLE = {("sequences-transformer", "lion"): 0.3}
"""Of the learning rates that suit a rule, what a network bears."""


@dataclass(frozen=True)
class World:
    """What a seed draws. `events` are done to the run when it stands at a step; `onset` is when the fault begins."""

    seed: int
    network: str
    rule: str
    lr: float
    batch: int
    task: Task
    steps: int = STEPS
    start: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)

    @property
    def draw(self) -> np.random.Generator:
        """Random numbers for whatever else the world needs."""
        return np.random.default_rng([self.seed, 77])

    def module(self) -> nn.Module:
        """The network with its initial values."""
        torch.manual_seed(self.seed)
        made = NETWORKS[self.network][1]()
        with torch.no_grad():
            for name, tensor in made.named_parameters():
                if name in self.start:
                    tensor.copy_(torch.from_numpy(self.start[name]))
        return made

    def learner(self) -> Learner:
        """The captured program with the network's initial values in it."""
        captured = program(self.network, self.rule)
        values = {name: array.copy() for name, array in captured.values.items()}
        tensors = dict(self.module().named_parameters())
        for decl in captured.program.named_params():
            tensor = tensors[decl.name].detach()
            own = tensor.view(torch.uint16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()
            flat = values[decl.arena or decl.name].reshape(-1)
            flat[decl.offset : decl.offset + own.size] = own.reshape(-1).view(flat.dtype)
        return Learner(captured.program, values)

    def with_train(self, **arrays: npt.NDArray[np.generic]) -> World:
        """The same with other training examples."""
        return replace(self, task=replace(self.task, train={**self.task.train, **arrays}))


@cache
def program(network: str, rule: str) -> Learner:
    """A network and a rule as one program."""
    torch.manual_seed(0)
    made = NETWORKS[network][1]()
    task = TASKS[NETWORKS[network][0]](np.random.default_rng(0))
    example = {name: array[:32] for name, array in task.train.items()}
    return og.capture(made, loss, RULES[rule][0](), example, valid=task.valid)  # type: ignore[arg-type]


def world(seed: int, networks: tuple[str, ...] = USUAL, rules: tuple[str, ...] = tuple(RULES)) -> World:
    """The healthy world of a seed."""
    draw = np.random.default_rng([seed, 1])
    network = networks[int(draw.integers(len(networks)))]
    able = [rule for rule in rules if rule in EASY.get(network, rules)] or [EASY[network][0]]
    rule = able[int(draw.integers(len(able)))]
    low, high = RULES[rule][1]
    lr = float(np.exp(draw.uniform(np.log(low), np.log(high))))
    lr *= GENTLE.get((network, rule), 1.0)
    batch = int(draw.choice([32, 64, 128]))
    return World(seed, network, rule, lr, batch, TASKS[NETWORKS[network][0]](draw))
