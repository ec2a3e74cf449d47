"""A NAND is two neurons: so it is drawn here as well, an AND and its inverse. Are two needed?

One threshold neuron is tried with all whole and half weights and biases from -2 to 2, 9^3 of them.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import torch

from ontogeny.claims.claim import Claim, Expectation, Form, Measured
from ontogeny.evolve.circuits.threshold import threshold_network
from ontogeny.isa.netlist import NAND, netlist

CASES = np.array(list(product((0.0, 1.0), repeat=2)), np.float32)
RIGHT = 1 - CASES[:, 0] * CASES[:, 1]
TRIED = np.linspace(-2, 2, 9)


def measure(seed: int, **_: Any) -> Measured:
    """Mistakes of two neurons and of the best single one, over the four cases; there is no chance in it."""
    two = threshold_network(netlist(2, [NAND], [[0, 1]], [2]))
    pair = two(torch.from_numpy(CASES)).numpy()[:, 0]
    single = min(_mistakes(weights) for weights in product(TRIED, repeat=3))
    figures = {"neurons": two.neurons, "wrong_with_two": int((pair != RIGHT).sum()), "wrong_with_one": single}
    return Measured(figures)


def _mistakes(weights: tuple[float, ...]) -> int:
    first, second, bias = weights
    return int(((CASES @ np.array([first, second]) + bias > 0) != RIGHT).sum())


CLAIM = Claim(
    name="nand-is-two-neurons",
    sentence="A NAND gate takes two neurons.",
    how="The gate is made of two threshold neurons, as the gate machine draws it, and compared on all four cases. Then "
    "every single threshold neuron with whole and half weights from -2 to 2 is tried.",
    measure=measure,
    expects=(
        Expectation("wrong_with_two", "<=", 0, "two neurons make no mistake"),
        Expectation("wrong_with_one", ">=", 1, "one neuron makes at least one"),
    ),
    quick=Form((0,), 0.1),
    full=Form((0,), 0.1),
    limits="Of threshold neurons (1 where the input is above 0). Weights of -1 and -1 with a bias of 1.5 are the gate, "
    "so one is enough; two are what one gets from an AND and its inverse.",
    exact=True,
    source="the one who asked for this project",
)
