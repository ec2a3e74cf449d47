"""Losses that keep learning going where softmax runs out of digits (Prieto et al. 2025, arXiv 2501.04697)."""

from __future__ import annotations

import torch
from torch import Tensor


def stablemax_cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    """The mean of -log(s(target's score) / sum of s(scores)), with s(x) = x + 1 from 0 on and 1 / (1 - x) below.

    `scores` f32[..., classes], `targets` i64[...]. It grows linearly where softmax is exponential, so that a class that
    is far ahead does not absorb the others.
    """
    s = torch.where(scores >= 0, scores + 1.0, 1.0 / (1.0 - torch.clamp(scores, max=0.0)))
    chosen = torch.gather(s, -1, targets.unsqueeze(-1)).squeeze(-1)
    return (torch.log(s.sum(-1)) - torch.log(chosen)).mean()
