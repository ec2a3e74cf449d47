"""Equilibrium propagation: a network settles freely, then nudged towards the target; synapses learn the difference.

Scellier and Bengio, "Equilibrium propagation: bridging the gap between energy-based models and backpropagation", 2017.
Connections go both ways. Units u descend half their sum of squares less the products of connected r(u), r(u) = u held
between 0 and 1; nudged, the outputs are also drawn to the target by `NUDGE`. A synapse moves by the difference, over
the nudge, of the product of its two ends in both states.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ontogeny.front.local import Local
from ontogeny.front.trace import Batch
from ontogeny.train.local.perceptron import Directions, Perceptron, moved, told_squares

FREE, NUDGED, RATE, NUDGE = 20, 6, 0.5, 0.5
"""Rounds of settling freely and nudged, how far a unit moves in each, and how hard outputs are drawn."""


class Settling(Perceptron):
    """A perceptron whose units settle between 0 and 1; its scores are the outputs of the free state."""

    def settle(self, x: Tensor, rounds: int, units: list[Tensor], target: Tensor | None = None) -> list[Tensor]:
        """The units of each layer after so many rounds, all moved at once in each. They stay between 0 and 1."""
        weights = self.weights()
        for _ in range(rounds):
            moves = []
            for at, unit in enumerate(units):
                weight, bias = weights[at]
                drive = (units[at - 1] if at else x) @ weight.T + bias
                if at + 1 < len(units):
                    drive = drive + units[at + 1] @ weights[at + 1][0]
                if target is not None and at + 1 == len(units):
                    drive = drive + NUDGE * (target - unit)
                moves.append(drive - unit)
            units = [(unit + RATE * move).clamp(0, 1) for unit, move in zip(units, moves, strict=True)]
        return units

    def free(self, x: Tensor) -> list[Tensor]:
        """The free state, from units in the middle."""
        return self.settle(x, FREE, [torch.full((len(x), bias.shape[0]), 0.5) for _, bias in self.weights()])

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of the free state."""
        return self.free(x)[-1]


def directions(model: Settling, batch: Batch) -> tuple[dict[str, Tensor], Directions]:
    """What is measured of the free state, and what each parameter moves against."""
    x, y = batch["x"], batch["y"]
    free = model.free(x)
    nudged = model.settle(x, NUDGED, free, F.one_hot(y, free[-1].shape[1]).to(x.dtype))
    before, after = (moved(units, [x, *units[:-1]]) for units in (free, nudged))
    return told_squares(free[-1], y), {name: (before[name] - after[name]) / NUDGE for name in before}


EQUILIBRIUM_PROPAGATION = Local(directions)
