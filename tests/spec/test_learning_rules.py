"""Every built-in rule against the library's own optimizer, over a hundred steps of one small model.

Lion is held to the formula of its paper (arXiv 2302.06675, algorithm 2) in NumPy. Muon's iteration runs in bfloat16 in
PyTorch and in the parameter's format here, so PyTorch's is run in f32 for the comparison. Tolerances are absolute, on
parameters of size about one; AdamW and SGD are equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torch.optim._muon as library_muon
from torch import nn

import ontogeny as og
from ontogeny.front.author import Value
from ontogeny.front.capture import capture
from ontogeny.front.rules import Rule, constant, custom
from ontogeny.isa.errors import CaptureError, OntogenyError
from ontogeny.machine.compiled import CompiledMachine
from tests.spec.optimizers import Amplified, Lion, MuonAndAdamW, Perpendicular, in_f32
from tests.spec.training import MLP, Batch, arrays, cross_entropy, differences, learned, trained

STEPS = 100
Params = Iterable[nn.Parameter]
Optimizer = Callable[[Params], torch.optim.Optimizer]


def batches(count: int = STEPS) -> list[Batch]:
    return [{"x": torch.randn(16, 8), "y": torch.randint(0, 4, (16,))} for _ in range(count)]


def both(rule: Rule, optimizer: Optimizer, **how: Any) -> tuple[CompiledMachine, nn.Module]:
    """A hundred steps by the machine and by PyTorch, from the same start on the same batches."""
    torch.manual_seed(1)
    model, given = MLP(), batches()
    machine, _ = learned(capture(model, cross_entropy, rule, given[0]), given)
    chosen = optimizer(model.parameters())
    if "schedule" in how:
        how["schedule"] = how["schedule"](chosen)
    trained(model, cross_entropy, chosen, given, **how)
    return machine, model


def sgd(**options: Any) -> Optimizer:
    return lambda params: torch.optim.SGD(params, **options)


def adamw(**options: Any) -> Optimizer:
    return lambda params: torch.optim.AdamW(params, **options)


RULES: dict[str, tuple[Rule, Optimizer]] = {
    "sgd": (og.sgd(lr=0.1), sgd(lr=0.1)),
    "sgd, decay": (og.sgd(lr=0.1, weight_decay=0.01), sgd(lr=0.1, weight_decay=0.01)),
    "sgd, momentum": (og.sgd(lr=0.1, momentum=0.9), sgd(lr=0.1, momentum=0.9)),
    "sgd, momentum, decay": (
        og.sgd(lr=0.1, momentum=0.9, weight_decay=0.01),
        sgd(lr=0.1, momentum=0.9, weight_decay=0.01),
    ),
    "sgd, nesterov": (
        og.sgd(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        sgd(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    ),
    "adamw": (og.adamw(lr=1e-2), adamw(lr=1e-2)),
    "adamw, no decay": (og.adamw(lr=1e-2, weight_decay=0.0), adamw(lr=1e-2, weight_decay=0.0)),
    "adamw, other constants": (
        og.adamw(lr=3e-3, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.5),
        adamw(lr=3e-3, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.5),
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_a_hundred_steps_have_the_bits_of_torchs_own_optimizer(name: str) -> None:
    machine, model = both(*RULES[name])
    assert differences(machine, model) == (0, 0.0)


@pytest.mark.parametrize("norm", [0.1, 100.0])
def test_clipping_by_norm_is_that_of_torch(norm: float) -> None:
    machine, model = both(og.sgd(lr=0.1, momentum=0.9).with_clip(norm), sgd(lr=0.1, momentum=0.9), clip=norm)
    assert differences(machine, model)[1] <= 2e-6


def test_clipping_matters_and_is_a_dial() -> None:
    torch.manual_seed(0)
    model, batch = MLP(), batches(1)[0]
    machine, _ = learned(capture(model, cross_entropy, og.sgd(lr=1.0).with_clip(1e-3), batch), [])
    before = machine.state()["params"]
    machine.call("learn", arrays(batch), {})
    moved = np.linalg.norm(machine.state()["params"] - before)
    assert moved == pytest.approx(1e-3, rel=1e-3)
    before = machine.state()["params"]
    machine.call("learn", arrays(batch), {"clip": 1e-2})
    assert np.linalg.norm(machine.state()["params"] - before) == pytest.approx(1e-2, rel=1e-3)


def lambda_schedule(factor: Callable[[int], float]) -> Callable[[torch.optim.Optimizer], Any]:
    return lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def warm(step: int) -> float:
    return min((step + 1) / 20, 1.0)


SCHEDULES: dict[str, tuple[Any, Callable[[torch.optim.Optimizer], Any]]] = {
    "constant": (constant(), lambda_schedule(lambda step: 1.0)),
    "warm-up": (og.warmup(20), lambda_schedule(warm)),
    "cosine": (og.cosine(STEPS), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, STEPS)),
    "cosine to a floor": (
        og.cosine(STEPS, floor=0.1),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, STEPS, eta_min=1e-3),
    ),
    "cycles": (
        og.cycles(30, floor=0.1, start=10),
        lambda_schedule(lambda s: 0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * (max(0, s - 10) % 30) / 30))),
    ),
    "bursts": (
        og.bursts(4.0, length=3, every=20, start=5),
        lambda_schedule(lambda s: 4.0 if s >= 5 and (s - 5) % 20 < 3 else 1.0),
    ),
    "warm-up, then cosine": (
        og.warmup(20, og.cosine(STEPS, start=20)),
        lambda_schedule(lambda s: warm(s) * (0.5 * (1 + np.cos(np.pi * max(0, s - 20) / (STEPS - 20))))),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_those_of_torch(name: str) -> None:
    ours, theirs = SCHEDULES[name]
    machine, model = both(og.adamw(lr=1e-2).with_schedule(ours), adamw(lr=1e-2), schedule=theirs)
    assert differences(machine, model)[1] <= 2e-5


def test_schedules_that_never_come_back_are_refused() -> None:
    with pytest.raises(OntogenyError, match="nothing between"):
        og.bursts(4.0, length=20, every=20)
    with pytest.raises(OntogenyError, match="period=0"):
        og.cycles(0)


@pytest.mark.parametrize("rule", [og.adamw(lr=1e-2), og.muon(lr=2e-2, adam_lr=1e-2)], ids=lambda rule: rule.name)
def test_grokfast_is_the_papers_before_any_rule(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_muon, "_zeropower_via_newtonschulz", in_f32)
    beneath = adamw(lr=1e-2) if rule.name == "adamw" else MuonAndAdamW
    machine, model = both(og.grokfast(rule, alpha=0.9, lamb=2.0), lambda params: Amplified(params, beneath, 0.9, 2.0))
    assert differences(machine, model)[1] <= (2e-5 if rule.name == "adamw" else 2e-4)


def test_perpendicular_gradients_are_the_papers() -> None:
    machine, model = both(og.perpendicular(og.sgd(lr=0.1)), lambda params: Perpendicular(params, sgd(lr=0.1)))
    assert differences(machine, model)[1] <= 2e-6


def test_lion_is_the_papers() -> None:
    rule = og.lion(lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
    machine, model = both(rule, lambda params: Lion(params, 1e-3, (0.9, 0.99), 0.1))
    assert differences(machine, model)[1] <= 2e-6


def test_muon_is_torchs_in_f32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_muon, "_zeropower_via_newtonschulz", in_f32)
    machine, model = both(og.muon(lr=2e-2, weight_decay=0.1, adam_lr=1e-2), MuonAndAdamW)
    assert differences(machine, model)[1] <= 2e-4


def test_one_step_of_muon_is_torchs_to_bfloat16() -> None:
    torch.manual_seed(1)
    model, batch = MLP(), batches(1)[0]
    machine, _ = learned(
        capture(model, cross_entropy, og.muon(lr=2e-2, weight_decay=0.1, adam_lr=1e-2), batch), [batch]
    )
    trained(model, cross_entropy, MuonAndAdamW(model.parameters()), [batch])
    assert differences(machine, model)[1] <= 0.2 * 2e-2  # a fifth of the step


def rmsprop(g: Value, p: Value, state: dict[str, Value], dials: Mapping[str, Value]) -> tuple[Value, dict[str, Value]]:
    square = state["square"] * dials["alpha"] + g * g * (1.0 - dials["alpha"])
    return p - g / (square.sqrt() + 1e-8) * dials["lr"], {"square": square}


def test_a_custom_rule_is_any_python_function() -> None:
    rule = custom(rmsprop, dials={"lr": 1e-3, "alpha": 0.99}, slots=("square",))
    assert rule.name == "rmsprop"
    machine, model = both(rule, lambda params: torch.optim.RMSprop(params, lr=1e-3))
    assert differences(machine, model)[1] <= 2e-6


def test_a_custom_rule_that_branches_on_a_value_is_refused() -> None:
    def branching(g: Value, p: Value, state: Any, dials: Any) -> Any:
        return (p - g, {}) if g.sum() > 0 else (p, {})

    with pytest.raises(OntogenyError, match="Python cannot branch on it"):
        capture(MLP(), cross_entropy, custom(branching, dials={}), batches(1)[0])


def test_turning_a_dial_changes_the_step_and_compiles_nothing() -> None:
    torch.manual_seed(1)
    model, given = MLP(), batches(2)
    machine, _ = learned(capture(model, cross_entropy, og.adamw(lr=1e-2), given[0]), given[:1])
    prepared = dict(machine._ready)
    machine.call("learn", arrays(given[1]), {"lr": 1e-3, "weight_decay": 0.3})
    assert machine._ready == prepared
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    trained(model, cross_entropy, optimizer, given[:1])
    optimizer.param_groups[0].update(lr=1e-3, weight_decay=0.3)
    trained(model, cross_entropy, optimizer, given[1:])
    assert differences(machine, model) == (0, 0.0)


def test_a_rule_that_forgets_a_slot_is_refused() -> None:
    def forgetful(g: Value, p: Value, state: Any, dials: Any) -> Any:
        return p - g, {"other": g}

    with pytest.raises(CaptureError, match="'other'"):
        capture(MLP(), cross_entropy, custom(forgetful, dials={}, slots=("kept",)), batches(1)[0])
