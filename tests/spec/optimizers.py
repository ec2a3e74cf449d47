"""Optimizers that PyTorch lacks, or has in other roundings, for the rules to be held to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

Params = Iterable[nn.Parameter]


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of the paper, in NumPy f64 arithmetic rounded to f32 once a step."""

    def __init__(self, params: Params, lr: float, betas: tuple[float, float], decay: float) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "decay": decay})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                momentum = self.state[p].get("m", np.zeros(p.shape))
                gradient, value = p.grad.numpy().astype(np.float64), p.detach().numpy().astype(np.float64)
                first, second = group["betas"]
                direction = np.sign(first * momentum + (1 - first) * gradient)
                value = value - group["lr"] * (direction + group["decay"] * value)
                self.state[p]["m"] = second * momentum + (1 - second) * gradient
                p.data.copy_(torch.from_numpy(value))


class MuonAndAdamW(torch.optim.Optimizer):
    """PyTorch's Muon for matrices, its AdamW for the rest."""

    def __init__(self, params: Params, decay: float = 0.1) -> None:
        both = list(params)
        super().__init__(both, {"lr": 0.0})
        self.parts = (
            torch.optim.Muon([p for p in both if p.dim() == 2], lr=2e-2, weight_decay=decay),
            torch.optim.AdamW([p for p in both if p.dim() != 2], lr=1e-2, weight_decay=decay),
        )
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for part in self.parts:
            part.step()


class Changed(torch.optim.Optimizer):
    """Another optimizer whose gradients are changed first, each by itself."""

    def __init__(self, params: Params, beneath: Callable[[Params], torch.optim.Optimizer]) -> None:
        both = list(params)
        super().__init__(both, {"lr": 0.0})
        self.beneath, self.slow = beneath(both), dict[nn.Parameter, torch.Tensor]()

    def changed(self, p: nn.Parameter, g: torch.Tensor) -> torch.Tensor:
        """The gradient as the optimizer beneath is to see it."""
        raise NotImplementedError

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for p in self.param_groups[0]["params"]:
            p.grad = self.changed(p, p.grad)
        self.beneath.step()


class Amplified(Changed):
    """Grokfast-EMA: the average begins with the first gradient and is added `lamb` times."""

    def __init__(self, params: Params, beneath: Any, alpha: float, lamb: float) -> None:
        super().__init__(params, beneath)
        self.alpha, self.lamb = alpha, lamb

    def changed(self, p: nn.Parameter, g: torch.Tensor) -> torch.Tensor:
        self.slow[p] = self.slow[p] * self.alpha + g * (1 - self.alpha) if p in self.slow else g
        return g + self.slow[p] * self.lamb


class Perpendicular(Changed):
    """What is left of a gradient at right angles to its parameter."""

    def changed(self, p: nn.Parameter, g: torch.Tensor) -> torch.Tensor:
        flat = p.detach().double().flatten()
        along = flat @ g.double().flatten() / (flat @ flat + 1e-30)
        return (g - along * p.detach()).to(g.dtype)


def in_f32(grad: torch.Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> torch.Tensor:
    """The library's iteration without its rounding to bfloat16."""
    a, b, c = coefficients
    x = grad.T if grad.size(0) > grad.size(1) else grad
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if grad.size(0) > grad.size(1) else x
