"""Functions of PyTorch that are traced as others of the same meaning: their own hide a question to the values of a
tensor, or a kernel whose gradient has no definition in simpler operations.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch._decomp import decomposition_table
from torch.overrides import TorchFunctionMode

from ontogeny.front.source import is_user
from ontogeny.isa.errors import CaptureError


class Replaced(TorchFunctionMode):
    """While it is on, the functions of `REPLACED` are called in their place."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        try:
            return REPLACED.get(func, func)(*args, **(kwargs or {}))
        except CaptureError as error:
            frame = next(frame for frame in reversed(traceback.extract_stack()) if is_user(frame.filename))
            raise CaptureError(f"{frame.filename}:{frame.lineno} `{frame.line}`: {error}") from error


def _one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    if num_classes < 0:
        raise CaptureError("one_hot without num_classes has a width that data decides; give it num_classes")
    return (tensor.unsqueeze(-1) == torch.arange(num_classes)).to(torch.int64)


def _embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    if input.dim() != 2 or max_norm is not None or scale_grad_by_freq:
        raise CaptureError(
            "an EmbeddingBag is captured over indices [bags, words], without offsets, max_norm and scale_grad_by_freq; "
            "fill shorter bags up with padding_idx"
        )
    rows = F.embedding(input, weight, padding_idx)
    kept = torch.ones_like(input) if padding_idx is None else (input != padding_idx).to(torch.int64)
    if mode == "max":
        low = torch.where(kept.unsqueeze(-1) > 0, rows, float("-inf")).max(1)[0]
        return torch.where(kept.sum(1, keepdim=True) > 0, low, 0.0)
    factor = kept.to(rows.dtype) if per_sample_weights is None else kept * per_sample_weights
    total = (rows * factor.unsqueeze(-1)).sum(1)
    return total if mode == "sum" else total / kept.sum(1, keepdim=True).clamp(min=1)


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    return v * (g / torch.norm_except_dim(v, 2, dim))


def _grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    if input.dim() != 4:
        raise CaptureError("grid_sample is captured for pictures [n, c, h, w] alone; sample volumes by indexing")
    how = (("bilinear", "nearest", "bicubic").index(mode), ("zeros", "border", "reflection").index(padding_mode))
    return decomposition_table[torch.ops.aten.grid_sampler_2d.default](input, grid, *how, bool(align_corners))


def _gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    spread = torch.as_tensor(var, dtype=input.dtype)
    if spread.dim() and spread.shape != input.shape and spread.shape == input.shape[:-1]:
        spread = spread.unsqueeze(-1)
    spread = spread + (spread.clamp(min=eps) - spread).detach()
    loss = 0.5 * (spread.log() + (input - target) ** 2 / spread) + (0.5 * math.log(2 * math.pi) if full else 0.0)
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


REPLACED: dict[Any, Callable[..., Any]] = {
    F.one_hot: _one_hot,
    F.embedding_bag: _embedding_bag,
    torch._weight_norm: _weight_norm,
    Tensor.square_: lambda tensor: tensor.mul_(tensor),
    F.grid_sample: _grid_sample,
    F.gaussian_nll_loss: _gaussian_nll_loss,
}
"""By the function that PyTorch calls: what is traced instead."""
