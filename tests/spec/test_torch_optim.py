"""Optimizers of PyTorch as rules, against themselves over a hundred steps of one small model.

Tolerances are absolute, on parameters of size about one: PyTorch rounds its scalars elsewhere when it is traced.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

import ontogeny as og
from ontogeny.front.capture import capture
from ontogeny.isa.errors import CaptureError
from tests.spec.training import MLP, Batch, arrays, cross_entropy, differences, learned, trained

MADE: dict[str, Any] = {
    "rmsprop": lambda params: torch.optim.RMSprop(params, lr=1e-3),
    "rmsprop, momentum": lambda params: torch.optim.RMSprop(params, lr=1e-3, momentum=0.9),
    "adagrad": lambda params: torch.optim.Adagrad(params, lr=1e-2, initial_accumulator_value=0.1),
    "adadelta": lambda params: torch.optim.Adadelta(params, lr=1.0),
    "nadam": lambda params: torch.optim.NAdam(params, lr=2e-3),
    "adamax": lambda params: torch.optim.Adamax(params, lr=2e-3),
}
TOLERANCE = 5e-6


def batches(count: int) -> list[Batch]:
    torch.manual_seed(1)
    return [{"x": torch.randn(16, 8), "y": torch.randint(0, 4, (16,))} for _ in range(count)]


@pytest.mark.parametrize("name", MADE)
def test_a_hundred_steps_are_those_of_the_optimizer(name: str) -> None:
    given, model = batches(100), MLP()
    machine, _ = learned(capture(model, cross_entropy, og.torch_optim(MADE[name]), given[0]), given)
    trained(model, cross_entropy, MADE[name](model.parameters()), given)
    assert differences(machine, model)[1] <= TOLERANCE


def test_the_learning_rate_and_a_named_option_are_dials() -> None:
    given, model = batches(2), MLP()
    rule = og.torch_optim(MADE["rmsprop"], alpha=0.9)
    assert dict(rule.dials) == {"lr": 1e-3, "alpha": 0.9}
    machine, _ = learned(capture(model, cross_entropy, rule, given[0]), given[:1])
    machine.call("learn", arrays(given[1]), {"lr": 1e-2, "alpha": 0.5})
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9)
    trained(model, cross_entropy, optimizer, given[:1])
    optimizer.param_groups[0].update(lr=1e-2, alpha=0.5)
    trained(model, cross_entropy, optimizer, given[1:])
    assert differences(machine, model)[1] <= TOLERANCE


def test_an_optimizer_that_needs_a_closure_is_refused() -> None:
    with pytest.raises(CaptureError, match=r"lbfgs cannot be traced.*closure"):
        og.torch_optim(torch.optim.LBFGS)


def test_state_that_starts_from_the_first_gradient_is_refused() -> None:
    with pytest.raises(CaptureError, match="not one number to start with"):
        og.torch_optim(lambda params: torch.optim.SGD(params, momentum=0.9, dampening=0.5))
