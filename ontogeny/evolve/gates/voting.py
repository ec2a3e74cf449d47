"""Classifiers grown gate by gate, without gradients: the method Growth, gone through once, vote after vote."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ontogeny.evolve.circuits.simplify import simplified
from ontogeny.evolve.fitness.classifying import accuracy
from ontogeny.evolve.methods.growth import Growth
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist


def grown(
    features: ArrayLike, labels: ArrayLike, votes: int, *, gates: int = 1, drawn: int = 32, temperature: float = 4.0,
    seed: int = 0,
) -> Netlist:  # fmt: skip
    """A netlist whose outputs are `votes` for each class, the first class's first, of at most `gates` each.

    `features` [rows, inputs] of 0 and 1, `labels` [rows] from 0. The loss is the cross entropy of the numbers of votes
    over `temperature`; `drawn` inputs are offered to each vote. Raises SearchError for what does not go together.
    """
    if min(votes, gates) < 1 or drawn < 2 or temperature <= 0:
        raise SearchError(
            f"votes {votes}, gates {gates}, drawn {drawn}, temperature {temperature}; expected votes and gates from 1, "
            "drawn from 2, a temperature above 0"
        )
    outputs = votes * (int(np.max(labels, initial=0)) + 1)
    fitness, method = accuracy(features, labels, outputs), Growth(gates, drawn, temperature)
    return simplified(method.net(method.leg(method.begin(fitness.space, seed), fitness, outputs, False)))
