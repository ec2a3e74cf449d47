"""Trainings that faults are planted in, recorded and watched as they go: runs of our own, and plain PyTorch loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from diagnose_worlds import EVERY, World
from torch import nn

import ontogeny as og
from ontogeny.ask.diagnose import Watcher
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.attach import Attached
from ontogeny.record.recorded import Recorded
from ontogeny.record.run import Run, create

Floats = npt.NDArray[np.float64]
TORCH: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": lambda p, lr: torch.optim.AdamW(p, lr=lr),
    "sgd": lambda p, lr: torch.optim.SGD(p, lr=lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
}
RECORDED = tuple(TORCH)


@dataclass
class Case:
    """A finished run with a fault from a state on (None: none is there), and what was told of it live."""

    fault: str
    run: Recorded | Attached
    onset: int | None
    timed: bool
    watcher: Watcher
    loss: Floats
    test: list[tuple[int, float]] = field(default_factory=list)
    also: frozenset[str] = frozenset()
    about: str = ""


Action = Callable[[Run], object]


def native(made: World, folder: Path, actions: Mapping[int, Action] | None = None) -> Case:
    """A run of our own; what is to be done at a state is done there."""
    learner = made.learner()
    data = og.Arrays(made.task.train, min(made.batch, len(made.task.train["y"])), made.seed)
    options = {"threads": 1}
    dials = {"lr": made.lr}
    run = create(folder, learner, data, valid=made.task.valid, dials=dials, evaluate_every=EVERY, options=options)
    watcher, tested = Watcher(), list[tuple[int, float]]()
    network = made.module()

    def on_step(step: int, metrics: Mapping[str, float]) -> None:
        watcher.step(step, metrics)
        if step % EVERY == 0:
            tested.append((step, tested_loss(network, run, made)))

    with suppress(OntogenyError):  # a loss that turns non-finite ends the run
        for stop in (*sorted(actions or {}), made.steps):
            run.advance(stop - run.step, on_step=on_step)
            if actions and stop in actions:
                actions[stop](run)
    return Case("", run, None, False, watcher, run.metrics()["loss"], tested, about=f"{made.network} {made.rule}")


def tested_loss(network: nn.Module, run: Run, made: World) -> float:
    """The loss on examples that the run never sees."""
    state, tensors = run.state(), dict(network.named_parameters())
    with torch.no_grad():
        for decl in run.program.named_params():
            flat = state[decl.arena or decl.name].reshape(-1)[decl.offset : decl.offset + decl.type.size]
            tensor = tensors[decl.name]
            raw = torch.from_numpy(flat.view(np.uint16).copy()).view(torch.bfloat16) if flat.itemsize == 2 else None
            tensor.copy_((torch.from_numpy(flat) if raw is None else raw).view(tensor.shape))
        scores = network(torch.from_numpy(made.task.test["x"]))
        return float(F.cross_entropy(scores, torch.from_numpy(made.task.test["y"])))


@dataclass
class Loop:
    """A plain PyTorch loop; `zero` says whether a step clears the gradients, `frozen` which tensors get none."""

    made: World
    zero: Callable[[int], bool] = lambda step: True
    frozen: Callable[[int], str] = lambda step: ""
    left_out: str = ""

    def record(self, folder: Path) -> Case:
        """Trains and records."""
        made, network = self.made, self.made.module()
        given = [p for name, p in network.named_parameters() if not self.left_out or self.left_out not in name]
        optimizer = TORCH[made.rule](given, made.lr)
        watcher, losses, tested = Watcher(), list[float](), list[tuple[int, float]]()
        order = og.Arrays(made.task.train, made.batch, made.seed)
        held = {name: torch.from_numpy(array) for name, array in made.task.valid.items()}
        with og.attach(network, optimizer, folder) as recording:
            for step in range(made.steps):
                self._freeze(network, step)
                batch = {name: torch.from_numpy(array) for name, array in order.batch(step).items()}
                value = F.cross_entropy(network(batch["x"]), batch["y"])
                if self.zero(step):
                    optimizer.zero_grad()
                value.backward()
                optimizer.step()
                recording.step(value.detach())
                told = {"loss": value.item()}
                losses.append(told["loss"])
                if (step + 1) % EVERY == 0:
                    with torch.no_grad():
                        told["valid.loss"] = float(F.cross_entropy(network(held["x"]), held["y"]))
                        unseen = made.task.test
                        scores = network(torch.from_numpy(unseen["x"]))
                        tested.append((step + 1, F.cross_entropy(scores, torch.from_numpy(unseen["y"])).item()))
                    recording.tell(**{"valid.loss": told["valid.loss"]})
                watcher.step(step + 1, told)
        about = f"{made.network} {made.rule} attached"
        return Case("", Attached(folder), None, False, watcher, np.array(losses), tested, about=about)

    def _freeze(self, network: nn.Module, step: int) -> None:
        pattern = self.frozen(step)
        for name, tensor in network.named_parameters():
            if pattern and pattern in name and tensor.requires_grad:
                tensor.requires_grad_(False)
                tensor.grad = None
