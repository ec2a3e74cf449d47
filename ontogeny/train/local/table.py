"""The local rules by name, and backpropagation: what model each teaches, and the loss or rule to capture it with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from ontogeny.train.local import backpropagation
from ontogeny.train.local.equilibrium_propagation import EQUILIBRIUM_PROPAGATION, Settling
from ontogeny.train.local.feedback_alignment import FEEDBACK_ALIGNMENT, FixedFeedback
from ontogeny.train.local.forward_forward import FORWARD_FORWARD, Goodness
from ontogeny.train.local.hebb import HEBB
from ontogeny.train.local.perceptron import Perceptron
from ontogeny.train.local.predictive_coding import PREDICTIVE_CODING


@dataclass(frozen=True, slots=True)
class Taught:
    """A way of teaching: a model of the given widths, what to capture it with, and a rate of AdamW's for digits."""

    model: Callable[[Sequence[int]], nn.Module]
    loss: Any
    rate: float


TABLE: dict[str, Taught] = {
    "backpropagation": Taught(Perceptron, backpropagation.loss, 0.01),
    "hebb": Taught(Perceptron, HEBB, 0.03),
    "feedback_alignment": Taught(FixedFeedback, FEEDBACK_ALIGNMENT, 0.01),
    "forward_forward": Taught(Goodness, FORWARD_FORWARD, 0.01),
    "predictive_coding": Taught(Perceptron, PREDICTIVE_CODING, 0.03),
    "equilibrium_propagation": Taught(Settling, EQUILIBRIUM_PROPAGATION, 0.01),
}
