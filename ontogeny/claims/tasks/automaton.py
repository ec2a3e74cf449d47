"""What a ring of cells will be after some steps of a cellular automaton: the same small rule, over and over.

An elementary automaton (Wolfram, "Statistical mechanics of cellular automata", 1983): a cell's next value is the digit
of the rule's number, in base two, at the number that its left neighbour, itself and its right neighbour make.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.data.base import Array

Named = dict[str, Array]


def after(cells: Array, rule: int, steps: int) -> Array:
    """Cells i64[n, cells] of 0 and 1 after so many steps of a rule (0 to 255), on a ring."""
    for _ in range(steps):
        place = 4 * np.roll(cells, 1, 1) + 2 * cells + np.roll(cells, -1, 1)
        cells = (rule >> place) & 1
    return cells


def rings(seed: int, count: int, held_out: int, cells: int, rule: int, steps: int) -> tuple[Named, Named]:
    """Different rings to learn from and held out: x f32[n, cells] of -1 and 1, y f32[n, cells] of 0 and 1."""
    chosen = np.random.default_rng(seed).choice(1 << cells, count + held_out, replace=False)
    before = (chosen[:, None] >> np.arange(cells)) & 1
    named = {"x": (2 * before - 1).astype(np.float32), "y": after(before, rule, steps).astype(np.float32)}
    return {k: v[:count] for k, v in named.items()}, {k: v[count:] for k, v in named.items()}


def loss(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cross entropy of a cell in nats, and the share of cells that are right."""
    scores = model(batch["x"])
    right = ((scores > 0) == (batch["y"] > 0.5)).float().mean()
    return {"loss": F.binary_cross_entropy_with_logits(scores, batch["y"]), "accuracy": right}
