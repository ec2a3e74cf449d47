"""Optimizers of PyTorch as rules, against themselves over a hundred steps of one small model.

Tolerances are absolute, on parameters of size about one: PyTorch rounds its scalars elsewhere when it is traced.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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
    "adadelta, decay": lambda params: torch.optim.Adadelta(params, lr=1.0, weight_decay=0.01),
    "adagrad, decay": lambda params: torch.optim.Adagrad(params, lr=1e-2, lr_decay=0.1, weight_decay=0.01),
    "adam": torch.optim.Adam,
    "adam, amsgrad": lambda params: torch.optim.Adam(params, amsgrad=True, weight_decay=0.1),
    "adam, maximize": lambda params: torch.optim.Adam(params, maximize=True),
    "adamw, amsgrad": lambda params: torch.optim.AdamW(params, amsgrad=True),
    "asgd": lambda params: torch.optim.ASGD(params, lr=1e-2, weight_decay=0.1, t0=50),
    "nadam, decay": lambda params: torch.optim.NAdam(params, weight_decay=0.1, decoupled_weight_decay=True),
    "radam": torch.optim.RAdam,
    "radam, decay": lambda params: torch.optim.RAdam(params, weight_decay=0.1, decoupled_weight_decay=True),
    "rmsprop, centered": lambda params: torch.optim.RMSprop(params, lr=1e-3, centered=True, momentum=0.9),
    "adafactor": torch.optim.Adafactor,
    "adafactor, decay": lambda params: torch.optim.Adafactor(params, weight_decay=0.1, beta2_decay=-0.7, maximize=True),
    "rprop": lambda params: torch.optim.Rprop(params, lr=1e-3),
    "sgd": lambda params: torch.optim.SGD(params, lr=1e-2, weight_decay=0.1, maximize=True),
}
DECAYING = ["rmsprop", "adagrad", "adadelta", "nadam", "adamax", "adam", "adamw, amsgrad", "asgd", "radam", "sgd"]
TOLERANCE = 5e-6
HALF = 3e-3
"""For Muon, whose iteration is rounded to bfloat16 at every product, of which PyTorch fuses three."""


def batches(count: int) -> list[Batch]:
    torch.manual_seed(1)
    return [{"x": torch.randn(16, 8), "y": torch.randint(0, 4, (16,))} for _ in range(count)]


@pytest.mark.parametrize("name", MADE)
def test_a_hundred_steps_are_those_of_the_optimizer(name: str) -> None:
    given, model = batches(100), MLP()
    machine, _ = learned(capture(model, cross_entropy, og.torch_optim(MADE[name]), given[0]), given)
    trained(model, cross_entropy, MADE[name](model.parameters()), given)
    assert differences(machine, model)[1] <= TOLERANCE


def test_an_optimizer_of_matrices_runs_on_matrices() -> None:
    given, model = batches(100), MLP()
    for one in (model.up.bias, model.down.bias):
        one.requires_grad_(False)
    learner = capture(model, cross_entropy, og.torch_optim(torch.optim.Muon), given[0])
    assert {decl.name for decl in learner.program.of("state")} >= {"momentum_buffer.up.weight"}
    machine, _ = learned(learner, given)
    trained(model, cross_entropy, torch.optim.Muon([model.up.weight, model.down.weight]), given)
    assert differences(machine, model)[1] <= HALF


@pytest.mark.parametrize("name", DECAYING)
def test_weight_decay_is_a_dial_where_it_is_named(name: str) -> None:
    given, model = batches(20), MLP()
    rule = og.torch_optim(MADE[name], weight_decay=0.2)
    assert rule.dials["weight_decay"] == 0.2
    machine, _ = learned(capture(model, cross_entropy, rule, given[0]), given[:10])
    optimizer = MADE[name](model.parameters())
    for decay, some in ((0.2, given[:10]), (0.05, given[10:])):
        optimizer.param_groups[0]["weight_decay"] = decay
        trained(model, cross_entropy, optimizer, some)
    for batch in given[10:]:
        machine.call("learn", arrays(batch), {"weight_decay": 0.05})
    assert differences(machine, model)[1] <= TOLERANCE


def test_captures_in_several_threads_leave_pytorch_as_it_was() -> None:
    before, given = torch.compiler.is_compiling, batches(1)

    def one(_: int) -> float:
        learner = capture(MLP(), cross_entropy, og.torch_optim(torch.optim.RMSprop), given[0])
        return learner.check["gradient_difference"]

    with ThreadPoolExecutor(3) as threads:
        assert max(threads.map(one, range(6))) <= TOLERANCE
    assert torch.compiler.is_compiling is before


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


def test_an_optimizer_for_sparse_gradients_is_refused() -> None:
    with pytest.raises(CaptureError, match=r"sparseadam cannot be traced.*dense gradients"):
        og.torch_optim(torch.optim.SparseAdam)


def test_state_that_starts_from_the_first_gradient_is_refused() -> None:
    with pytest.raises(CaptureError, match=r"not one number to start with; use og\.sgd"):
        og.torch_optim(lambda params: torch.optim.SGD(params, momentum=0.9, dampening=0.5))
