"""SOAP: its eigenvectors are LAPACK's, matrix by matrix of a stack, and its step is Adam's in that basis."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ontogeny as og
from ontogeny.data.base import Array
from tests.spec.training import MLP, Batch, arrays, cross_entropy, differences, drawn, learned, trained

RATE, DECAY = 1e-2, 0.1


class Stack(nn.Module):
    """A stack of three matrices, each of which has a quadratic loss of its own with curvatures far apart."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(1)))


def squared(model: nn.Module, batch: Batch) -> Tensor:
    assert isinstance(model, Stack)
    seen = batch["left"] @ model.weight @ batch["right"]
    return seen.square().sum()


def directions(steps: int) -> list[Batch]:
    """Turned axes whose curvatures differ, and a little noise: a gradient that keeps its eigenvectors."""
    random = torch.Generator().manual_seed(2)
    left = torch.linalg.qr(torch.randn(3, 4, 4, generator=random))[0] * torch.logspace(0, -2, 4)[:, None]
    right = torch.linalg.qr(torch.randn(3, 6, 6, generator=random))[0] * torch.logspace(0, -1, 6)
    noise = [1 + 0.01 * torch.randn(3, 1, 1, generator=random) for _ in range(steps)]
    return [{"left": left * one, "right": right} for one in noise]


@pytest.fixture(scope="module")
def states() -> list[dict[str, Array]]:
    """The registers after 199 and after 200 steps."""
    batches = directions(200)
    machine, _ = learned(og.capture(Stack(), squared, og.soap(RATE, weight_decay=DECAY), batches[0]), batches[:-1])
    before = {name: value.copy() for name, value in machine.state().items()}
    machine.call("learn", arrays(batches[-1]), {})
    return [before, dict(machine.state())]


@pytest.mark.parametrize(("side", "size"), [("left", 4), ("right", 6)])
def test_its_bases_are_the_eigenvectors_of_its_averages(states: list[dict[str, Array]], side: str, size: int) -> None:
    average, basis = states[1][f"gram_{side}"].astype(float), states[1][f"basis_{side}"] + np.eye(size)
    assert np.abs(turned(basis) @ basis - np.eye(size)).max() < 1e-3
    seen = turned(basis) @ average @ basis
    own, largest = np.diagonal(seen, axis1=1, axis2=2), average.max()
    assert np.sort(own) == pytest.approx(np.linalg.eigvalsh(average), rel=1e-2, abs=1e-5 * largest)
    assert np.abs(seen * (1 - np.eye(size))).max() < 1e-3 * largest


def test_its_step_is_adams_in_that_basis(states: list[dict[str, Array]]) -> None:
    before, after = ({name: value.astype(float) for name, value in state.items()} for state in states)
    given = {name: value.astype(float) for name, value in arrays(directions(200)[-1]).items()}
    gradient = 2 * turned(given["left"]) @ (given["left"] @ before["weight"] @ given["right"]) @ turned(given["right"])
    left, right = after["basis_left"] + np.eye(4), after["basis_right"] + np.eye(6)
    kept = 0.95 * before["gram_left"] + 0.05 * gradient @ turned(gradient)
    assert after["gram_left"] == pytest.approx(kept, rel=1e-3, abs=1e-5 * kept.max())
    mean = 0.9 * before["exp_avg"] + 0.1 * gradient
    square = 0.99 * before["exp_avg_sq"] + 0.01 * (turned(left) @ gradient @ right) ** 2
    assert after["exp_avg_sq"] == pytest.approx(square, rel=1e-3, abs=1e-6 * square.max())
    adam = (turned(left) @ mean @ right) / (1 - 0.9**200) / (np.sqrt(square / (1 - 0.99**200)) + 1e-10)
    expected = (1 - RATE * DECAY) * before["weight"] - RATE * left @ adam @ turned(right)
    assert after["weight"] == pytest.approx(expected, abs=2e-3 * RATE)


def test_what_is_no_matrix_or_too_wide_goes_by_adamw() -> None:
    torch.manual_seed(1)
    model, given = MLP(hidden=24), drawn(5)
    learner = og.capture(model, cross_entropy, og.soap(RATE, eps=1e-8, longest=20), given[0])
    assert not [name for name in learner.values if "gram" in name], "one side of each matrix is 24"
    machine, _ = learned(learner, given)
    chosen = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.0)
    trained(model, cross_entropy, chosen, given)
    assert differences(machine, model)[1] <= 1e-6


def turned(matrix: Array) -> Array:
    return matrix.swapaxes(-1, -2)
