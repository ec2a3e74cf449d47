"""Losses of our own against their formulas, and their gradients where softmax has none left."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ontogeny.train.losses import stablemax_cross_entropy


def s(x: float) -> float:
    return x + 1 if x >= 0 else 1 / (1 - x)


def test_stablemax_is_its_formula() -> None:
    scores, targets = [[2.0, -3.0, 0.0], [-1.0, -0.5, -40.0]], [0, 2]
    expected = sum(math.log(sum(map(s, row)) / s(row[at])) for row, at in zip(scores, targets, strict=True)) / 2
    assert stablemax_cross_entropy(torch.tensor(scores), torch.tensor(targets)).item() == pytest.approx(
        expected, rel=1e-6
    )


def test_a_class_far_ahead_leaves_a_gradient_that_softmax_rounds_away() -> None:
    for loss, vanishes in ((F.cross_entropy, True), (stablemax_cross_entropy, False)):
        scores = torch.tensor([[200.0, 0.0, -5.0]], requires_grad=True)
        loss(scores, torch.tensor([0])).backward()
        assert scores.grad is not None and bool((scores.grad == 0).all()) is vanishes


def test_no_gradient_is_lost_on_either_side_of_zero() -> None:
    scores = torch.tensor([[1e6, -1e6, 0.0]], requires_grad=True)
    stablemax_cross_entropy(scores, torch.tensor([1])).backward()
    assert scores.grad is not None and bool(scores.grad.isfinite().all())
