"""What the autopilot is compared with, at equal steps: one run by another rule, and two searches over learning rates.

    AdamW           at PyTorch's default learning rate, and at the wrong one
    Schedule-Free   AdamW without a schedule, at the wrong learning rate (Defazio et al., 2024; `schedulefree`)
    Prodigy         which finds its own; its learning rate stays at 1, as it is meant to (Mishchenko and Defazio, 2024)
    ASHA            learning rates over four decades around the wrong one and decays over two, cut to a third by a third
                    (Li et al., 2020), in turns
    PBT             a population of four that copies, and perturbs learning rate and decay (Jaderberg et al., 2017)

All see every validation example, and each ends with the state at which its validation was best, by the task's goal or
else by loss, so that every peer may stop early. The peers train by PyTorch's own loop from the same initial values on
the same batches.
"""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from autopilot_tasks import DECAY, DEFAULT_LR, Rows, Task
from common import version
from torch import nn

EVERY = 10
"""Steps between two looks at the validation examples."""
ASHA_ARMS, ASHA_KEPT = 9, 3
MEMBERS, READY = 4, 10
"""PBT: how many, and how often in its course a member looks at the others."""
WORST = (math.inf, math.inf)
Make = Callable[[Iterator[nn.Parameter]], Any]


@dataclass
class Member:
    """One training under way, and its best state so far by validation loss."""

    task: Task
    model: nn.Module
    optimizer: Any
    step: int = 0
    best: tuple[float, float] = WORST
    last: tuple[float, float] = WORST
    state: dict[str, torch.Tensor] = field(default_factory=dict)

    def go(self, steps: int) -> None:
        """Takes steps, and looks at the validation examples now and then."""
        data = self.task.data()
        for _ in range(steps):
            batch = {name: torch.from_numpy(array) for name, array in data.batch(self.step).items()}
            value = F.cross_entropy(self.model(batch["x"]), batch["y"])
            self.optimizer.zero_grad()
            value.backward()
            self.optimizer.step()
            self.step += 1
            if self.step % EVERY == 0:
                self.look()

    def look(self) -> None:
        """Notes the validation loss, and the state where it is the best so far."""
        averaged = hasattr(self.optimizer, "eval")
        if averaged:
            self.optimizer.eval()
        loss, accuracy = measured(self.model, self.task.valid)
        self.last = (-accuracy if self.task.goal else loss, loss)
        if self.last < self.best:
            self.best, self.state = self.last, copy.deepcopy(self.model.state_dict())
        if averaged:
            self.optimizer.train()


def measured(model: nn.Module, rows: Rows) -> tuple[float, float]:
    """Loss and accuracy on some examples; an infinite loss where it is no number."""
    with torch.no_grad():
        scores, y = model(torch.from_numpy(rows["x"])), torch.from_numpy(rows["y"])
        loss = float(F.cross_entropy(scores, y))
        return loss if math.isfinite(loss) else math.inf, float((scores.argmax(-1) == y).float().mean())


def begun(task: Task, make: Make) -> Member:
    """A training at its first step."""
    model = task.module()
    optimizer = make(model.parameters())
    if hasattr(optimizer, "train"):
        optimizer.train()
    return Member(task, model, optimizer)


def tested(member: Member) -> tuple[float, float]:
    """Test loss and accuracy of the best state; those of the first state where none was ever a number."""
    model = member.task.module()
    if member.state:
        model.load_state_dict(member.state)
    return measured(model, member.task.test)


def adamw(lr: float, decay: float = DECAY) -> Make:
    """AdamW, by default with the decay of the runs."""
    return lambda parameters: torch.optim.AdamW(parameters, lr=lr, weight_decay=decay)


def alone(task: Task, make: Make, budget: int) -> Member:
    """One run over the whole budget."""
    member = begun(task, make)
    member.go(budget)
    return member


def drawn(task: Task, lr: float, count: int, draw: np.random.Generator) -> list[Member]:
    """Trainings at random learning rates and decays, the given ones first."""
    rates, decays = lr * 10.0 ** draw.uniform(-2, 2, count), DECAY * 10.0 ** draw.uniform(0, 2, count)
    rates[0], decays[0] = lr, DECAY
    return [begun(task, adamw(float(a), float(b))) for a, b in zip(rates, decays, strict=True)]


def asha(task: Task, lr: float, budget: int, draw: np.random.Generator) -> Member:
    """Successive halving over learning rates, whose last rung is one run to the end of the budget."""
    members = drawn(task, lr, ASHA_ARMS, draw)
    left, rung = budget, budget // (3 * ASHA_ARMS)
    while len(members) > 1:
        for member in members:
            member.go(rung)
        left -= rung * len(members)
        members = sorted(members, key=lambda one: one.last)[: max(1, len(members) // ASHA_KEPT)]
        rung *= ASHA_KEPT
    members[0].go(left)
    return members[0]


def pbt(task: Task, lr: float, budget: int, draw: np.random.Generator) -> Member:
    """A population whose worst copies its best, and goes on at 0.8 or 1.25 times its learning rate."""
    members = drawn(task, lr, MEMBERS, draw)
    each = budget // MEMBERS
    for turn in range(READY):
        for member in members:
            member.go(each // READY if turn < READY - 1 else each - member.step)
        order = sorted(members, key=lambda one: one.last)
        good, bad = order[0], order[-1]
        bad.model.load_state_dict(good.model.state_dict())
        bad.optimizer.load_state_dict(copy.deepcopy(good.optimizer.state_dict()))
        for group in bad.optimizer.param_groups:
            group["lr"] *= float(draw.choice([0.8, 1.25]))
            group["weight_decay"] *= float(draw.choice([0.8, 1.25]))
    return min(members, key=lambda one: one.best)


def schedule_free(lr: float) -> Make:
    """Schedule-Free AdamW, as its package has it."""
    package = import_module("schedulefree")
    return lambda parameters: package.AdamWScheduleFree(parameters, lr=lr, weight_decay=DECAY)


def prodigy() -> Make:
    """Prodigy, as its package has it, with decay apart from the gradient as AdamW's."""
    package = import_module("prodigyopt")

    def make(parameters: Iterator[nn.Parameter]) -> Any:
        with redirect_stdout(io.StringIO()):  # it says which decay it uses
            return package.Prodigy(parameters, lr=1.0, weight_decay=DECAY)

    return make


PACKAGES = {"schedule_free": "schedulefree", "prodigy": "prodigyopt"}
ALL: dict[str, Callable[[Task, float, int, np.random.Generator], Member]] = {
    "adamw": lambda task, lr, budget, draw: alone(task, adamw(DEFAULT_LR), budget),
    "adamw_wrong": lambda task, lr, budget, draw: alone(task, adamw(lr), budget),
    "schedule_free": lambda task, lr, budget, draw: alone(task, schedule_free(lr), budget),
    "prodigy": lambda task, lr, budget, draw: alone(task, prodigy(), budget),
    "asha": asha,
    "pbt": pbt,
}
PEERS = {name: peer for name, peer in ALL.items() if name not in PACKAGES or version(PACKAGES[name])}
"""Those whose package is installed."""
