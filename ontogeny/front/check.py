"""The differential check: one step of the captured program against plain autograd on the same random numbers.

Plain PyTorch draws from its hidden generator; here its draws are answered by the program's counter-based ones, in the
same order, so that dropout is compared exactly too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from ontogeny.front.local import Local, local_step
from ontogeny.front.trace import Objective, metrics
from ontogeny.isa.errors import CaptureError
from ontogeny.machine.compiled.threefry import uniform
from ontogeny.machine.learner import Array

TOLERANCE = 2e-3
"""The largest difference allowed, relative to the largest gradient of the same parameter, or of all if that is tiny."""

aten = torch.ops.aten


class Drawing(TorchDispatchMode):
    """Answers torch's random operations with the program's own numbers of seed 0 and step 0."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.site = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        if name == "aten::bernoulli_":  # its p of 0.5 is a default, and left out
            return args[0].copy_(self._next(args[0].shape) < (args[1] if len(args) > 1 else 0.5))
        if name == "aten::bernoulli" and len(args) == 2:
            return (self._next(args[0].shape) < args[1]).to(args[0].dtype)
        if name == "aten::bernoulli":
            return (self._next(args[0].shape) < args[0]).to(args[0].dtype)
        if name in ("aten::rand_like", "aten::randn_like"):
            return self._drawn(name, args[0].shape).to(args[0].dtype)
        if name in ("aten::rand", "aten::randn"):
            return self._drawn(name, args[0]).to((kwargs or {}).get("dtype") or torch.get_default_dtype())
        return func(*args, **(kwargs or {}))

    def _drawn(self, name: str, shape: Any) -> torch.Tensor:
        """Uniform numbers, or normal ones by Box and Muller's method (1958)."""
        if "randn" not in name:
            return self._next(shape)
        radius = ((1.0 - self._next(shape)).log() * -2.0).sqrt()
        return radius * (self._next(shape) * math.tau).cos()

    def _next(self, shape: Any) -> torch.Tensor:
        self.site += 1
        return uniform(0, 0, self.site - 1, tuple(shape), "cpu")


def plain_step(
    objective: Objective, params: Mapping[str, torch.Tensor], rest: Mapping[str, torch.Tensor], batch: Any, random: bool
) -> tuple[dict[str, torch.Tensor], dict[str, Array]]:
    """Metrics and gradients by plain autograd: ({name: scalar}, {parameter: gradient array}).

    Raises CaptureError for a loss that has none.
    """
    if isinstance(objective.loss, Local):
        return _plain_directions(objective, objective.loss, params, rest, batch)
    leaves = {name: value.detach().clone().requires_grad_() for name, value in params.items()}
    named = plain_metrics(objective, leaves, rest, batch, random)
    if not named["loss"].requires_grad:
        raise CaptureError(
            "the loss cannot be differentiated by any parameter, so no gradient would move them; give a loss that can, "
            "or estimate gradients from losses: og.es(rule)"
        )
    grads = torch.autograd.grad(named["loss"], list(leaves.values()), allow_unused=True)
    zeros = (torch.zeros_like(p) if g is None else g for g, p in zip(grads, leaves.values(), strict=True))
    return named, {name: g.float().numpy() for name, g in zip(leaves, zeros, strict=True)}


def _plain_directions(
    objective: Objective, local: Local, params: Mapping[str, torch.Tensor], rest: Mapping[str, torch.Tensor], batch: Any
) -> tuple[dict[str, torch.Tensor], dict[str, Array]]:
    """As `plain_step` for a rule that says its directions."""
    frozen = {name: value for name, value in rest.items() if name not in dict(objective.named_buffers())}
    buffers = {name: value for name, value in rest.items() if name not in frozen}
    with torch.no_grad(), Drawing():
        directions, named, objective.after = local_step(objective, local)(params, frozen, buffers, batch)
    return named, {name: one.float().numpy() for name, one in directions.items()}


def plain_metrics(
    objective: Objective, params: Mapping[str, torch.Tensor], rest: Mapping[str, torch.Tensor], batch: Any, random: bool
) -> dict[str, torch.Tensor]:
    """Metrics of a forward pass by plain PyTorch; the objective then holds the buffers as they are after it."""
    copies = {name: value.detach().clone() for name, value in rest.items()}
    backend = [SDPBackend.MATH] if random else [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]
    with sdpa_kernel(backend), Drawing():
        return metrics(functional_call(objective, {**params, **copies}, (batch,)))


def compared(
    found: Mapping[str, Array], expected: Mapping[str, Array], losses: tuple[float, float]
) -> dict[str, float]:
    """How far captured gradients and loss are from plain ones. Raises CaptureError when that is not rounding."""
    overall = max((float(np.abs(g).max(initial=0.0)) for g in expected.values()), default=0.0)
    worst, name_of_worst, differing = 0.0, "", 0
    for name, plain in expected.items():
        ours = found[name].astype(np.float32)
        scale = max(float(np.abs(plain).max(initial=0.0)), 1e-3 * overall, 1e-30)
        distance = float(np.abs(ours - plain).max(initial=0.0)) / scale
        differing += int((ours != plain).sum())
        if not distance <= worst:
            worst, name_of_worst = distance, name
    loss = abs(losses[0] - losses[1]) / max(abs(losses[1]), 1e-30)
    if not worst <= TOLERANCE or not loss <= TOLERANCE:
        raise CaptureError(
            f"the captured step is not the model's: the loss is {losses[0]:.9g} and plain PyTorch's {losses[1]:.9g}, "
            f"and the gradient of {name_of_worst or 'the loss'} differs by {worst:.3g} of its size; the model is not "
            "the same every time that it runs, or the capture is at fault; nothing was kept"
        )
    return {"gradient_difference": worst, "loss_difference": loss, "differing_elements": float(differing)}


def check_buffers(found: Mapping[str, Array], expected: Mapping[str, torch.Tensor]) -> None:
    """Raises CaptureError when a buffer, such as a running mean, is not what plain PyTorch leaves after the step."""
    for name, buffer in expected.items():
        plain = buffer.detach().double().numpy()
        ours = found[name].astype(np.float64)
        scale = max(float(np.abs(plain).max(initial=0.0)), 1e-30)
        if plain.shape != ours.shape or not np.allclose(ours, plain, rtol=0, atol=TOLERANCE * scale, equal_nan=True):
            raise CaptureError(
                f"the buffer {name!r} is not what plain PyTorch leaves in it after one step; this is a fault of the "
                "capture, and nothing was kept"
            )
