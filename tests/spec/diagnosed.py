"""Small trainings for the tests of diagnose: a network of three layers on four classes, and what is planted in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og
from ontogeny.machine.learner import Array, Learner
from ontogeny.record.run import Run, create
from tests.spec.training import cross_entropy

torch.set_num_threads(1)
STEPS, BATCH, CLASSES = 96, 32, 4
KINDS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
Examples = dict[str, Array]


def examples(count: int, seed: int) -> Examples:
    """Points in eight dimensions around four centres."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, CLASSES, count)
    centres = np.random.default_rng(7).normal(size=(CLASSES, 8))
    x = centres[y] + 0.5 * draw.normal(size=(count, 8))
    return {"x": x.astype(np.float32), "y": y.astype(np.int64)}


def network(kind: str = "relu", depth: int = 2, scale: float = 1.0) -> nn.Module:
    """`depth` hidden layers of 16 units; initial weights times `scale`."""
    torch.manual_seed(0)
    sizes = [8, *[16] * depth]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), KINDS[kind]()]
    made = nn.Sequential(*layers, nn.Linear(16, CLASSES))
    with torch.no_grad():
        for layer in layers[::2]:
            layer.weight.mul_(scale)  # type: ignore[operator, union-attr]
    return made


@cache
def captured(kind: str = "relu", depth: int = 2, scale: float = 1.0, half: bool = False) -> Learner:
    """The network with plain gradient descent, or where its parameters are in bfloat16 the same in that."""
    made = network(kind, depth, scale)
    if half:
        made = Half(made)
    batch, held = examples(BATCH, 1), examples(128, 2)
    return og.capture(made, cross_entropy, og.sgd(lr=0.2), batch, valid=held)


class Half(nn.Module):
    """A network in bfloat16."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner.to(torch.bfloat16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x.to(torch.bfloat16)).float()  # type: ignore[no-any-return]


def run(
    folder: Path,
    learner: Learner | None = None,
    train: Examples | None = None,
    valid: Examples | None = None,
    at: Mapping[int, Callable[[Run], object]] | None = None,
    **how: Any,
) -> Run:
    """A run of STEPS steps, with something done to it at some states."""
    data = og.Arrays(train or examples(512, 1), BATCH)
    held = valid or examples(128, 2)
    steps, on_step = how.pop("steps", STEPS), how.pop("on_step", None)
    made = create(folder, learner or captured(), data, valid=held, evaluate_every=4, options={"threads": 1}, **how)
    for stop in (*sorted(at or {}), steps):
        made.advance(stop - made.step, on_step=on_step)
        if at and stop in at:
            at[stop](made)
    return made


def edited(run: Run, name: str, change: Callable[[Array], Array]) -> None:
    """Sets a parameter to what a function makes of it."""
    decl = run.program.decl(name)
    places = decl.offset + np.arange(decl.type.size)
    values = run.state()[decl.arena].reshape(-1)[places]
    run.edit(decl.arena, places.tolist(), change(values).tolist())


def loop(
    folder: Path,
    zero: Callable[[int], bool] = lambda step: True,
    frozen: Callable[[int], bool] = lambda step: False,
    lr: float = 0.2,
) -> og.Attached:
    """The same as a plain loop that is recorded; its first layer may be frozen, its gradients not cleared."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    order, held = og.Arrays(examples(512, 1), BATCH), examples(128, 2)
    with og.attach(model, optimizer, folder) as recording:
        for step in range(STEPS):
            first = next(model.children())
            for tensor in first.parameters():
                tensor.requires_grad_(not frozen(step))
                tensor.grad = None if frozen(step) else tensor.grad
            batch = {name: torch.from_numpy(array) for name, array in order.batch(step).items()}
            loss = F.cross_entropy(model(batch["x"]), batch["y"])
            if zero(step):
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recording.step(loss.detach())
            if step % 4 == 3:
                with torch.no_grad():
                    value = F.cross_entropy(model(torch.from_numpy(held["x"])), torch.from_numpy(held["y"]))
                recording.tell(**{"valid.loss": value})
    return og.Attached(folder)
