"""Every built-in rule with and without decay, with and without clipping, on every schedule: a hundred steps of each
against the library's own optimizer, `clip_grad_norm_` and schedulers; Lion against its paper's formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from math import cos, pi
from typing import Any

import pytest
import torch
import torch.optim._muon as library_muon
from torch import nn
from torch.optim import lr_scheduler

import ontogeny as og
from ontogeny.front.capture import capture
from ontogeny.front.rules import Rule, constant
from tests.spec.optimizers import Lion, MuonAndAdamW, in_f32
from tests.spec.training import MLP, Batch, cross_entropy, differences, learned, trained

STEPS, WARM, CLIP, DECAY = 100, 20, 0.5, 0.1
Optimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


def sgd(nesterov: bool) -> Callable[[float], tuple[Rule, Optimizer]]:
    def pair(decay: float) -> tuple[Rule, Optimizer]:
        how: dict[str, Any] = {"lr": 0.05, "momentum": 0.9, "nesterov": nesterov, "weight_decay": decay}
        return og.sgd(**how), lambda params: torch.optim.SGD(params, **how)

    return pair


def adamw(decay: float) -> tuple[Rule, Optimizer]:
    return og.adamw(1e-2, weight_decay=decay), lambda params: torch.optim.AdamW(params, 1e-2, weight_decay=decay)


def lion(decay: float) -> tuple[Rule, Optimizer]:
    return og.lion(1e-3, weight_decay=decay), lambda params: Lion(params, 1e-3, (0.9, 0.99), decay)


def muon(decay: float) -> tuple[Rule, Optimizer]:
    return og.muon(2e-2, weight_decay=decay, adam_lr=1e-2), lambda params: MuonAndAdamW(params, decay)


RULES: dict[str, tuple[Callable[[float], tuple[Rule, Optimizer]], float]] = {
    "sgd": (sgd(nesterov=False), 2e-6),
    "nesterov": (sgd(nesterov=True), 2e-6),
    "adamw": (adamw, 2e-5),
    "lion": (lion, 2e-6),
    "muon": (muon, 2e-4),
}
"""A rule and its counterpart for a weight decay, and how far they may be apart."""


def warm_then_cosine(step: int) -> float:
    return min((step + 1) / WARM, 1.0) * 0.5 * (1 + cos(pi * max(0, step - WARM) / (STEPS - WARM)))


SCHEDULES: dict[str, tuple[Any, Callable[[torch.optim.Optimizer], Any]]] = {
    "constant": (constant(), lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
    "warm-up": (og.warmup(WARM), lambda o: lr_scheduler.LinearLR(o, 1 / WARM, total_iters=WARM - 1)),
    "cosine": (og.cosine(STEPS), lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS)),
    "both": (og.warmup(WARM, og.cosine(STEPS, start=WARM)), lambda o: lr_scheduler.LambdaLR(o, warm_then_cosine)),
}


@pytest.mark.parametrize(
    ("name", "decay", "clip", "schedule"), list(product(RULES, (0.0, DECAY), (0.0, CLIP), SCHEDULES))
)
def test_a_hundred_steps_are_the_librarys(
    name: str, decay: float, clip: float, schedule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_muon, "_zeropower_via_newtonschulz", in_f32)
    torch.manual_seed(1)
    (make, tolerance), (ours, theirs) = RULES[name], SCHEDULES[schedule]
    rule, optimizer = make(decay)
    model = MLP()
    given: list[Batch] = [{"x": torch.randn(16, 8), "y": torch.randint(0, 4, (16,))} for _ in range(STEPS)]
    rule = rule.with_schedule(ours).with_clip(clip) if clip else rule.with_schedule(ours)
    machine, losses = learned(capture(model, cross_entropy, rule, given[0]), given)
    chosen = optimizer(model.parameters())
    plain = trained(model, cross_entropy, chosen, given, schedule=theirs(chosen), **({"clip": clip} if clip else {}))
    assert losses == pytest.approx(plain, abs=10 * tolerance)
    assert differences(machine, model)[1] <= tolerance


def test_a_schedule_that_ends_at_zero_leaves_numbers() -> None:
    torch.manual_seed(1)
    batch = {"x": torch.randn(16, 8), "y": torch.randint(0, 4, (16,))}
    rule = og.muon(2e-2).with_schedule(og.cosine(2))
    machine, losses = learned(capture(MLP(), cross_entropy, rule, batch), [batch] * 5)
    assert losses[2] == losses[3] == losses[4]
    assert all(torch.tensor(value).isfinite().all() for value in machine.state().values())
