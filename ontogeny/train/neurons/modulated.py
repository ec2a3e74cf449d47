"""Weights at several time scales: slow ones by gradient, fast ones by Hebb's rule within an example, and a context.

The fast weights of an example begin at zero. At each place of its sequence they fade and take up the product of what a
unit gives and what it is given (Ba, Hinton, Mnih, Leibo and Ionescu, "Using fast weights to attend to the recent past",
2016); there is one set for each rate of fading. A context signal says, at each place, how strongly each set writes and
how strongly it is read (neuromodulation; Miconi, Clune and Stanley, "Differentiable plasticity", 2018).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ontogeny.isa.errors import CaptureError


class Modulated(nn.Module):
    """f32[batch, places, outputs] of x f32[batch, places, inputs] and a context f32[batch, places, signals].

    `keeps` are the shares of the fast weights that are left after a place, one for each time scale, from 0 (gone) to 1
    (never fades). The slow weights say what keys and values are, open the gates, and have a plain path of their own.
    Raises CaptureError without a time scale, or with one that is no share.
    """

    def __init__(
        self, inputs: int, outputs: int, signals: int, width: int, keeps: Sequence[float] = (0.5, 1.0)
    ) -> None:
        super().__init__()
        if not keeps or not all(0 <= keep <= 1 for keep in keeps):
            raise CaptureError(f"fast weights that keep {list(keeps)}; give shares from 0 to 1, one or more")
        self.keeps = tuple(keeps)
        self.key, self.value = nn.Linear(inputs, width, bias=False), nn.Linear(inputs, width, bias=False)
        self.plain, self.out = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.write, self.read = nn.Linear(signals, len(keeps)), nn.Linear(signals, len(keeps))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """What each place gives, after what the places before it have left in the fast weights."""
        keys, values, plain = torch.tanh(self.key(x)), torch.tanh(self.value(x)), self.plain(x)
        write, read = torch.sigmoid(self.write(context)), torch.sigmoid(self.read(context))
        batch, places, width = keys.shape
        fast = [x.new_zeros(batch, width, width) for _ in self.keeps]
        given = []
        for at in range(places):
            key, value, total = keys[:, at], values[:, at], plain[:, at]
            for scale, keep in enumerate(self.keeps):
                seen = torch.bmm(fast[scale], key.unsqueeze(2)).squeeze(2)
                total = total + read[:, at, scale, None] * seen
                product = value.unsqueeze(2) * key.unsqueeze(1)
                fast[scale] = keep * fast[scale] + write[:, at, scale, None, None] * product
            given.append(torch.relu(total))
        result: Tensor = self.out(torch.stack(given, 1))
        return result
