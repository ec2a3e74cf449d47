"""Layers, functions and losses that people commonly write: captured, checked against autograd by the capture itself,
and trained for three steps beside plain PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ontogeny as og
from ontogeny.front.capture import capture
from ontogeny.front.check import Drawing
from ontogeny.isa.errors import CaptureError
from ontogeny.isa.op import Op
from tests.spec.layers_and_losses import LAYERS, LOSSES, REFUSED, TENSORS, WORDS
from tests.spec.training import Batch, differences, learned, trained

pytestmark = [
    pytest.mark.filterwarnings("ignore:LSTM with projections"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
]
STEPS, RATE, TOLERANCE = 3, 1e-2, 2e-5


class Within(nn.Module):
    """A layer whose input is learned too, so that the gradient goes all the way through it."""

    def __init__(self, layer: Callable[[Tensor], Any], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.layer = layer
        self.factor = nn.Parameter(torch.rand(shape) + 0.5)

    def forward(self, x: Tensor) -> Any:
        return self.layer(x * self.factor)


def leaves(value: Any) -> list[Tensor]:
    """The float tensors of what a layer gives."""
    if isinstance(value, Tensor):
        return [value] if value.is_floating_point() else []
    return [leaf for item in value or () for leaf in leaves(item)]


def waves(model: nn.Module, batch: Batch) -> Tensor:
    """A loss in which every element of every result counts differently."""
    total = torch.zeros(())
    for leaf in leaves(model(batch["x"])):
        total = total + (leaf * torch.cos(torch.arange(leaf.numel()) * 0.7).view(leaf.shape)).sum()
    return total


def assert_learns_alike(model: nn.Module, loss: Any, batches: list[Batch]) -> None:
    """Three steps of the captured program are three steps of plain PyTorch."""
    learner = capture(model, loss, og.sgd(lr=RATE), batches[0])
    random = any(instr.op is Op.UNIFORM for instr in learner.program.routine("learn").body)
    batches = batches[:1] if random else batches  # plain PyTorch can be given the numbers of one step
    machine, ours = learned(learner, batches)
    with Drawing() if random else nullcontext():
        plain = trained(model, loss, torch.optim.SGD(model.parameters(), lr=RATE), batches)
    np.testing.assert_allclose(ours, plain, rtol=TOLERANCE, atol=TOLERANCE)
    assert differences(machine, model)[1] <= TOLERANCE


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str) -> None:
    torch.manual_seed(0)
    make, shape = LAYERS[name]
    assert_learns_alike(Within(make(), shape), waves, [{"x": torch.randn(shape)} for _ in range(STEPS)])


@pytest.mark.parametrize("name", TENSORS)
def test_functions_of_a_tensor(name: str) -> None:
    torch.manual_seed(0)
    batches = [{"x": torch.randn(6, 8)} for _ in range(STEPS)]
    assert_learns_alike(Within(TENSORS[name], (6, 8)), waves, batches)


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str) -> None:
    torch.manual_seed(0)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return LOSSES[name](model(batch["x"]), batch["y"])

    batches = [{"x": torch.randn(6, 8), "y": torch.tensor([0, 2, 5, 7, 2, 1])} for _ in range(STEPS)]
    assert_learns_alike(nn.Linear(8, 8), loss, batches)


@pytest.mark.parametrize("name", WORDS)
def test_embeddings(name: str) -> None:
    torch.manual_seed(0)
    assert_learns_alike(WORDS[name](), waves, [{"x": torch.randint(0, 8, (6, 4))} for _ in range(STEPS)])


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_captured_is_refused_at_the_users_line(name: str) -> None:
    function, words = REFUSED[name]
    with pytest.raises(CaptureError) as refused:
        capture(Within(function, (6, 8)), waves, og.sgd(lr=RATE), {"x": torch.randn(6, 8)})
    assert words in str(refused.value)
    assert "layers_and_losses.py:" in str(refused.value)
