"""Sharpness-aware minimisation against plain PyTorch that ascends, goes back and steps by hand; and its cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import ontogeny as og
from ontogeny.front.edits import apply, describe
from ontogeny.isa.errors import EditError, ProgramError
from ontogeny.isa.text import from_text, to_text
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Learner
from tests.spec.training import MLP, Batch, arrays, cross_entropy, differences, drawn

RHO = 0.1


def batches(count: int = 6) -> list[Batch]:
    return drawn(count)


def model() -> nn.Module:
    torch.manual_seed(1)
    return MLP()


def by_hand(optimizer: Callable[[Any], torch.optim.Optimizer], given: list[Batch], rho: float = RHO) -> nn.Module:
    """Ascend by rho along the gradient of all parameters, take the gradient there, go back, and step."""
    plain = model()
    params, rule = list(plain.parameters()), optimizer(plain.parameters())
    for batch in given:
        before = [p.detach().clone() for p in params]
        rule.zero_grad()
        cross_entropy(plain, batch)["loss"].backward()
        norm = torch.stack([p.grad.norm() for p in params if p.grad is not None]).norm()
        with torch.no_grad():
            for p in params:
                assert p.grad is not None
                p.add_(p.grad * (rho / norm))
        rule.zero_grad()
        cross_entropy(plain, batch)["loss"].backward()
        with torch.no_grad():
            for p, old in zip(params, before, strict=True):
                p.copy_(old)
        rule.step()
    return plain


@pytest.mark.parametrize(
    ("rule", "optimizer"),
    [
        (og.sgd(0.1, momentum=0.9), lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9)),
        (og.adamw(1e-2, weight_decay=0.1), lambda params: torch.optim.AdamW(params, lr=1e-2, weight_decay=0.1)),
    ],
    ids=["sgd", "adamw"],
)
def test_it_is_what_plain_pytorch_does_by_hand(rule: Any, optimizer: Any) -> None:
    learner = og.capture(model(), cross_entropy, og.sam(rule, rho=RHO), batches(1)[0])
    machine = started(learner)
    for batch in batches():
        machine.call("learn", arrays(batch), {})
    assert differences(machine, by_hand(optimizer, batches()))[1] < 1e-6
    assert differences(machine, by_hand(optimizer, batches(), rho=1e-9))[1] > 1e-4
    assert from_text(to_text(learner.program)) == learner.program


def started(learner: Learner) -> CompiledMachine:
    machine = CompiledMachine(learner.program, threads=1)
    machine.load(learner.values)
    return machine


def test_a_step_goes_forward_and_backward_twice_and_its_cost_says_so() -> None:
    plain = og.capture(model(), cross_entropy, og.sgd(0.1), batches(1)[0]).program
    both = apply(plain, "sam", rho=RHO).program
    products = [_products(one) for one in (plain, both)]
    assert products[1] == 2 * products[0] > 0
    assert dict(og.routine_cost(both, "learn").uses)  # the parameters are still found in it


def _products(program: Any) -> int:
    rows = og.routine_cost(program, "learn").rows
    return sum(row.cost.operations for row in rows if row.instr.op.text in ("dot", "linear"))


def test_a_running_learner_begins_to_ascend_and_leaves_off() -> None:
    captured = og.capture(
        model(), cross_entropy, og.sam(og.adamw(1e-2, weight_decay=0.1), rho=RHO), batches(1)[0]
    ).program
    rule = og.adamw(1e-2, weight_decay=0.1).with_clip(0.5)
    plain = og.capture(model(), cross_entropy, rule, batches(1)[0])
    ascending = apply(plain.program, "sam", rho=RHO).program
    assert "sam" in describe(ascending) and "clip" in describe(ascending)
    back = apply(ascending, "remove", edit="sam").program
    assert back == plain.program
    assert "sam" in describe(apply(captured, "rule", to="sgd").program)
    machine = CompiledMachine(ascending, threads=1)
    machine.load(plain.values)
    for batch in batches(2):
        machine.call("learn", arrays(batch), {})

    def clipped(params: Any) -> torch.optim.Optimizer:
        rule = torch.optim.AdamW(params, lr=1e-2, weight_decay=0.1)
        step, held = rule.step, [p for group in rule.param_groups for p in group["params"]]
        rule.step = lambda *_: (nn.utils.clip_grad_norm_(held, 0.5), step())  # type: ignore[method-assign]
        return rule

    assert differences(machine, by_hand(clipped, batches(2)))[1] < 1e-6


def test_what_cannot_ascend_is_refused() -> None:
    with pytest.raises(ProgramError, match="above 0"):
        og.sam(og.sgd(), rho=0)
    with pytest.raises(ProgramError, match="no plain gradients"):
        og.sam(og.es(og.sgd()))
    with pytest.raises(ProgramError, match="no plain gradients"):
        og.sam(og.sam(og.sgd()))
    program = og.capture(model(), cross_entropy, og.sgd(), batches(1)[0]).program
    with pytest.raises(EditError, match="more than 0"):
        apply(program, "sam", rho=0)
