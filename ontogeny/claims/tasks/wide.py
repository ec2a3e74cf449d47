"""Wide networks in NTK parametrisation, and learning rates tried on them: what was foretold, and what a run then did.

Weights are drawn with deviation 1 and each layer is divided by the root of its inputs, so that with width the network
comes near to one that is linear in its parameters (Jacot et al. 2018, arXiv 1806.07572); Lewkowycz et al. 2020.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ontogeny.ask.phase import Foretold, Passed, foretold, passed
from ontogeny.claims.tasks import digits as pictures
from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.front.capture import capture
from ontogeny.front.rules import sgd
from ontogeny.record.blame import NonfiniteError
from ontogeny.record.run import create

EXAMPLES = 64
Data = dict[str, Array]


class Wide(nn.Module):
    """Layers without biases; with ReLU between them, twice the variance goes in."""

    def __init__(self, sizes: Sequence[int], bent: bool) -> None:
        super().__init__()
        self.layers = nn.ParameterList([nn.Parameter(torch.randn(after, before)) for before, after in pairwise(sizes)])
        self.bent = bent

    def forward(self, x: Tensor) -> Tensor:
        """Answers f32[batch, outputs] to f32[batch, inputs]."""
        *hidden, last = self.layers
        for weight in hidden:
            x = x @ weight.T / math.sqrt(weight.shape[1])
            x = torch.relu(x) * math.sqrt(2) if self.bent else x
        answers: Tensor = x @ last.T / math.sqrt(last.shape[1])
        return answers


def loss(model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    """Half the squared error, its mean over the examples."""
    error: Tensor = model(batch["x"]) - batch["y"]
    return 0.5 * (error**2).sum(1).mean()


def digits(seed: int) -> Data:
    """Images of 8x8 pixels from -1 to 1, x f32[64, 64]; y f32[64, 1] is 1 for an even digit, -1 for an odd one."""
    chosen, _ = pictures.digits(seed, EXAMPLES)
    return {"x": chosen["x"], "y": np.where(chosen["y"] % 2, -1, 1)[:, None].astype(np.float32)}


def directions(seed: int) -> Data:
    """Normal numbers x f32[64, 64]; y f32[64, 1] is 1 or -1 by lot."""
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(EXAMPLES, 64)), random.choice([-1.0, 1.0], (EXAMPLES, 1))
    return {"x": x.astype(np.float32), "y": y.astype(np.float32)}


@dataclass(frozen=True)
class Network:
    """A network, and what it learns from with a seed."""

    sizes: tuple[int, ...]
    bent: bool
    data: Callable[[int], Data]


RELU = (64, 512, 512, 512, 1)
NETWORKS: Mapping[str, Network] = {
    "linear": Network((64, 512, 1), False, digits),
    "relu": Network(RELU, True, directions),
    "relu_on_digits": Network(RELU, True, digits),
}


def tried(
    name: str, seed: int, rates: Callable[[Foretold], Sequence[float]], steps: int
) -> list[tuple[Foretold, Passed]]:
    """For each of the rates what is foretold before the first step, and what a run of so many steps then does.

    All examples are learned from at every step. `rates` are given once the bounds are known.
    """
    network, found = NETWORKS[name], list[tuple[Foretold, Passed]]()
    torch.manual_seed(seed)
    data = network.data(seed)
    learner = capture(Wide(network.sizes, network.bent), loss, sgd(lr=1.0), data)
    with tempfile.TemporaryDirectory() as folder:
        with create(Path(folder) / "before", learner, Arrays(data, EXAMPLES)) as run:
            before = foretold(run)
        for place, rate in enumerate(rates(before)):
            with create(Path(folder) / f"run{place}", learner, Arrays(data, EXAMPLES), dials={"lr": rate}) as run:
                with suppress(NonfiniteError):
                    run.advance(steps)
                found.append((before.at(rate), passed(run, before.sharpness)))
    return found


def spread(count: int) -> Callable[[Foretold], Sequence[float]]:
    """So many rates in equal factors, from a quarter of the first bound to twice the second."""
    return lambda told: np.geomspace(told.lower / 4, 2 * told.upper, count).tolist()


def at(overs: Sequence[float]) -> Callable[[Foretold], Sequence[float]]:
    """The rates that are so many times one over the largest eigenvalue."""
    return lambda told: [one / told.sharpness.value for one in overs]
