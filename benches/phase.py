"""Learning rates whose phase is foretold from the largest Hessian eigenvalue before training, against what runs did.

A hundred learning rates on each of two networks in NTK parametrisation (weights drawn with deviation 1, each layer
divided by the root of its inputs; Lewkowycz et al. 2020), with a squared error, all examples at every step: two layers
without a nonlinearity that tell even handwritten digits from odd ones, and three hidden layers of ReLU that learn
random labels of random directions. The rates go in equal factors from a quarter of the first bound to twice the second;
the phase of each is told by `ask/phase.py` from the state before the first step. Then each is a recorded run, and what
it did is read off the record. --full: three initialisations of each, and the worst of them; and the ReLU network on
the digits, for which nobody sets a target: there it is lost from about 9/l on.
"""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from common import Figures, arguments, close, one_thread, peers
from sklearn.datasets import load_digits
from torch import Tensor, nn

import ontogeny as og
from ontogeny.ask.phase import Foretold, Passed, foretold, passed
from ontogeny.record.blame import NonfiniteError

RATES, STEPS, EXAMPLES = 100, 80, 64
TARGET = 0.95
Data = dict[str, np.ndarray]


class Wide(nn.Module):
    """Layers without biases; with ReLU between them, twice the variance goes in."""

    def __init__(self, sizes: tuple[int, ...], bent: bool) -> None:
        super().__init__()
        pairs = pairwise(sizes)
        self.layers = nn.ParameterList([nn.Parameter(torch.randn(after, before)) for before, after in pairs])
        self.bent = bent

    def forward(self, x: Tensor) -> Tensor:
        *hidden, last = self.layers
        for weight in hidden:
            x = x @ weight.T / math.sqrt(weight.shape[1])
            x = torch.relu(x) * math.sqrt(2) if self.bent else x
        return x @ last.T / math.sqrt(last.shape[1])


def loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Half the squared error, its mean over the examples."""
    return 0.5 * ((model(batch["x"]) - batch["y"]) ** 2).sum(1).mean()


def digits(seed: int) -> Data:
    """Images of 8x8 pixels from -1 to 1; 1 for an even digit, -1 for an odd one."""
    x, y = load_digits(return_X_y=True)
    chosen = np.random.default_rng(seed).permutation(len(x))[:EXAMPLES]
    return {
        "x": (x[chosen] / 8 - 1).astype(np.float32),
        "y": np.where(y[chosen] % 2, -1, 1)[:, None].astype(np.float32),
    }


def directions(seed: int) -> Data:
    """Normal numbers, 64 an example; 1 or -1 by lot."""
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(EXAMPLES, 64)), random.choice([-1.0, 1.0], (EXAMPLES, 1))
    return {"x": x.astype(np.float32), "y": y.astype(np.float32)}


@dataclass(frozen=True)
class Network:
    """A network and what it learns from."""

    sizes: tuple[int, ...]
    bent: bool
    data: Callable[[int], Data]


LINEAR, RELU = (64, 512, 1), (64, 512, 512, 512, 1)
NETWORKS = {"linear": Network(LINEAR, False, digits), "relu": Network(RELU, True, directions)}
FURTHER = {"relu_on_digits": Network(RELU, True, digits)}


def compared(network: Network, seed: int, folder: Path) -> list[tuple[Foretold, Passed]]:
    """For each rate what is foretold before the first step, and what the run then does."""
    torch.manual_seed(seed)
    data = network.data(seed)
    learner = og.capture(Wide(network.sizes, network.bent), loss, og.sgd(lr=1.0), data)
    found = []
    with og.create(folder / "before", learner, og.Arrays(data, EXAMPLES)) as run:
        before = foretold(run)
    for place, rate in enumerate(np.geomspace(before.lower / 4, 2 * before.upper, RATES).tolist()):
        with og.create(folder / f"run{place}", learner, og.Arrays(data, EXAMPLES), dials={"lr": rate}) as run:
            with suppress(NonfiniteError):
                run.advance(STEPS)
            found.append((before.at(rate), passed(run, before.sharpness)))
    return found


def show(name: str, seed: int, found: list[tuple[Foretold, Passed]]) -> float:
    """The share that was foretold rightly; says where the others lie."""
    sharp = found[0][0].sharpness
    counts = Counter(_called(did) for _, did in found)
    print(f"  {name}, seed {seed}: l {sharp.value:.4g} (residual {sharp.residual:.0e}); {dict(counts)}", flush=True)
    wrong = [(told, did) for told, did in found if told.phase is not did.phase]
    for told, did in wrong:
        losses = f"loss {did.first:.3g}, at most {did.highest:.3g}, last {did.last:.3g}"
        print(f"    at {told.rate * sharp.value:.2f}/l foretold {told.phase.value}, was {_called(did)}: {losses}, "
              f"l in the end {did.after.value:.3g}", flush=True)  # fmt: skip
    return 1 - len(wrong) / len(found)


def _called(did: Passed) -> str:
    return did.phase.value if did.phase else "none of them"


def main() -> None:
    """The bench."""
    options = arguments(__doc__ or "")
    one_thread()
    figures: Figures = {}
    for name, network in {**NETWORKS, **(FURTHER if options.full else {})}.items():
        shares = []
        for seed in range(3 if options.full and name in NETWORKS else 1):
            with tempfile.TemporaryDirectory() as folder:
                shares.append(show(name, seed, compared(network, seed, Path(folder))))
        figures[f"right.{name}"] = round(min(shares), 3)
    close("phase", figures, {f"right.{name}": (">=", TARGET) for name in NETWORKS}, peers("torch"))


if __name__ == "__main__":
    main()
