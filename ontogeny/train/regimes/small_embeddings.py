"""Embeddings that begin small, which a regime of late generalisation depends on."""

from __future__ import annotations

import torch
from torch import nn

SMALL = 0.02


def small_embeddings(model: nn.Module, deviation: float = SMALL) -> nn.Module:
    """The same model, its embeddings drawn anew with a small deviation by torch's own generator.

    With PyTorch's own deviation of 1 examples differ so much from the start that they are learned one by one, and the
    decay takes some 1 / (rate x decay) steps to wear that off.
    """
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.Embedding):
                part.weight.normal_(0.0, deviation)
    return model
