"""Units with dendrites: each is a small sparse network of two layers.

A unit's synapses lie on branches; a branch has a nonlinearity of its own, and the cell body adds up what the branches
give (Poirazi, Brannon and Mel, "Pyramidal neuron as two-layer neural network", 2003). Each input has one synapse on
each unit, on a branch that is drawn once, so that a unit has hardly more parameters than a point neuron.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ontogeny.isa.errors import CaptureError


class Dendritic(nn.Module):
    """`units` units of `branches` branches over all inputs: f32[batch, units] of f32[batch, inputs].

    A weight is learned for each input of each unit, a threshold and a weight for each branch, a threshold for the unit.
    Which input is where is drawn by `seed`. Raises CaptureError where the branches cannot share the inputs evenly.
    """

    place: Tensor

    def __init__(self, inputs: int, units: int, branches: int, seed: int = 0) -> None:
        super().__init__()
        if inputs % branches:
            raise CaptureError(f"{branches} branches cannot share {inputs} inputs evenly; give a divisor")
        chance = torch.Generator().manual_seed(seed)
        size = inputs // branches
        places = [torch.randperm(inputs, generator=chance) for _ in range(units)]
        self.register_buffer("place", torch.stack(places).view(units, branches, size))
        self.synapses = nn.Parameter(torch.randn(units, branches, size, generator=chance) * (2 / size) ** 0.5)
        self.thresholds = nn.Parameter(torch.zeros(units, branches))
        self.couplings = nn.Parameter(torch.randn(units, branches, generator=chance) * (2 / branches) ** 0.5)
        self.body = nn.Parameter(torch.zeros(units))

    def forward(self, x: Tensor) -> Tensor:
        """What the cell bodies give, ReLU at the branches and at the body."""
        branches = torch.relu((x[:, self.place] * self.synapses).sum(3) + self.thresholds)
        return torch.relu((branches * self.couplings).sum(2) + self.body)
