"""Logic gates learned by gradients: layers of two-input gates, each a soft choice among the sixteen, then hardened.

A gate's table has four entries, and each is one with a probability of its own, so that the sixteen gates have
probabilities; its value is what such a gate gives in the mean, of inputs that are ones with probabilities, too.
After Petersen, Borgelt, Kuehne and Deussen, "Deep Differentiable Logic Gate Networks" (2022), with four logits a gate
for sixteen (Rüttgers, Aczel, Plesner and Wattenhofer, "Light Differentiable Logic Gate Networks", 2025), and gates
that begin as passing their first fanin on (Petersen et al., "Convolutional Differentiable Logic Gate Networks", 2024).
The last layer is shared evenly among the classes; its sums are the votes. Wiring is drawn, and not learned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, netlist

FIRST = (-1.0, 1.0, -1.0, 1.0)
"""The signs of the table that passes its first fanin on."""


class GateLayer(nn.Module):
    """Two-input gates on wires drawn once, each wire taken as often as any other.

    `entries` f32[4, gates]: the logit of each entry of each table, the entry i for the input number i.
    """

    first: Tensor
    second: Tensor

    def __init__(self, inputs: int, gates: int, chance: torch.Generator, certainty: float) -> None:
        super().__init__()
        signs = torch.tensor(FIRST)[:, None]
        self.entries = nn.Parameter(certainty * signs + 0.1 * torch.randn(4, gates, generator=chance))
        self.register_buffer("first", _drawn(inputs, gates, chance))
        self.register_buffer("second", _drawn(inputs, gates, chance))

    def forward(self, wires: Tensor, hard: bool = False) -> Tensor:
        """f32[batch, gates] of f32[batch, inputs], the chances of a one; `hard`: with rounded tables."""
        neither, only_a, only_b, both = (self.entries > 0).float() if hard else torch.sigmoid(self.entries)
        a, b = wires[:, self.first], wires[:, self.second]
        without_both: Tensor = neither + a * (only_a - neither) + b * (only_b - neither)
        of_both: Tensor = both - only_a - only_b + neither
        return without_both + a * b * of_both


class SoftGates(nn.Module):
    """Layers of soft gates, the last one's votes: `forward` is f32[batch, classes] of f32[batch, inputs].

    Each class has the same share of the last layer, and its score is the sum of it over `temperature`. `certainty` is
    how far from even the first logits are. Raises SearchError for a last layer that cannot be shared evenly.
    """

    def __init__(
        self, inputs: int, widths: Sequence[int], classes: int, *, temperature: float, seed: int = 0,
        certainty: float = 2.0,
    ) -> None:  # fmt: skip
        super().__init__()
        if not widths or min(widths) < 1 or widths[-1] % classes:
            raise SearchError(
                f"layers of {list(widths)} gates for {classes} classes; expected as many for each at last"
            )
        chance = torch.Generator().manual_seed(seed)
        sizes = zip([inputs, *widths[:-1]], widths, strict=True)
        self.layers = nn.ModuleList(GateLayer(before, gates, chance, certainty) for before, gates in sizes)
        self.inputs, self.classes, self.temperature = inputs, classes, temperature

    def forward(self, bits: Tensor, hard: bool = False) -> Tensor:
        """The score of each class; of the hardened network where `hard`."""
        for layer in self.layers:
            bits = layer(bits, hard)
        votes = bits.reshape(len(bits), self.classes, -1)
        return votes.sum(2) / self.temperature


def hardened(model: SoftGates) -> Netlist:
    """Each gate as the likeliest of its sixteen; the outputs are the votes, those of the first class first."""
    layers = [layer for layer in model.layers if isinstance(layer, GateLayer)]
    tables = [(layer.entries.detach() > 0).numpy().T @ [1, 2, 4, 8] for layer in layers]
    starts = np.cumsum([0, model.inputs, *map(len, tables)])
    fanins = [
        torch.stack([layer.first, layer.second], 1).numpy() + at for layer, at in zip(layers, starts, strict=False)
    ]
    outputs = np.arange(starts[-2], starts[-1])
    return netlist(model.inputs, np.concatenate(tables), np.concatenate(fanins), outputs)


def _drawn(inputs: int, gates: int, chance: torch.Generator) -> Tensor:
    """int64[gates] of inputs, each as often as any other."""
    rounds = [torch.randperm(inputs, generator=chance) for _ in range(-(-gates // inputs))]
    return torch.cat(rounds)[:gates]
