"""Blind search is hopeless, and by how much: circuits and weights drawn at random, against methods that learn."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10, prod

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.circuits import TARGETS
from ontogeny.claims.tasks.digits import Named, digits
from ontogeny.claims.tasks.losses import of_examples
from ontogeny.claims.tasks.trained import run_of
from ontogeny.evolve import CGP, Gates, Network, OpenAIES, network, search
from ontogeny.evolve.weights.candidates import Flat, pieces
from ontogeny.front.rules import adamw

NODES_BLIND, NODES_EVOLVED = 12, 100
AT_ONCE = 100_000
LARGE = "adder of 3 bits"
IMAGES, HIDDEN, RIGHT = 300, 16, 0.9
A_STEP = 3
"""Evaluations that a step of gradients counts as: one forward, and backward about twice as much."""
Draws = Mapping[str, int]


def measure(seed: int, *, draws: Draws, tries: int, weights: int, steps: int) -> Measured:
    """Circuits, then weights; what is measured of both, in powers of ten."""
    circuits, lines = of_circuits(seed, draws, tries)
    found = of_weights(seed, weights, steps)
    return Measured({**circuits, **found}, lines)


def of_circuits(seed: int, draws: Draws, tries: int) -> tuple[dict[str, float], tuple[Series, ...]]:
    """The evaluations that blind draws and evolution take, by target, and how the first rise with the gates."""
    blind = {name: blindly(name, count, seed) for name, count in draws.items()}
    evolved = {name: by_evolution(name, tries, seed) for name in (*draws, LARGE)}
    gates = [TARGETS[name].gates for name in blind]
    slope, start = np.polyfit(gates, [*blind.values()], 1)
    kept = [name for name in blind if TARGETS[name].gates < max(gates)]
    small = np.polyfit([TARGETS[name].gates for name in kept], [blind[name] for name in kept], 1)
    largest = [name for name in blind if TARGETS[name].gates == max(gates)]
    figures = {f"factor_{name.replace(' ', '_')}": 10 ** (blind[name] - evolved[name]) for name in largest}
    figures |= {
        "decades_a_gate": float(slope),
        "decades_adder": float(start + slope * TARGETS[LARGE].gates) - evolved[LARGE],
        "foretold_wrong_by": float(np.mean([blind[n] - np.polyval(small, TARGETS[n].gates) for n in largest])),
    }
    points = {"drawn blindly": blind, "by mutation and selection": evolved}
    lines = [Series(k, [TARGETS[n].gates for n in at], [10**v for v in at.values()]) for k, at in points.items()]
    reach = [min(gates), TARGETS[LARGE].gates]
    return figures, (*lines, Series("drawn blindly, extrapolated", reach, [10 ** (start + slope * n) for n in reach]))


def blindly(name: str, count: int, seed: int) -> float:
    """The evaluations to one right circuit, as a power of ten.

    One more is counted as right than was found, so that what is rare is rather taken for too frequent.
    """
    genome, table, rng = Gates(NODES_BLIND), TARGETS[name].table(), np.random.default_rng(seed)
    right = 0
    for first in range(0, count, AT_ONCE):
        genes = genome.draw(table.space, min(AT_ONCE, count - first), rng)
        right += int(np.count_nonzero(np.asarray(table.errors(genome.candidates(table.space, genes))) == 0))
    return log10((count + 1) / (right + 1))


def by_evolution(name: str, tries: int, seed: int) -> float:
    """The mean evaluations that Cartesian genetic programming takes, as a power of ten; at most ten million each."""
    table = TARGETS[name].table()
    found = [search(CGP(NODES_EVOLVED), table, seed=tries * seed + turn) for turn in range(tries)]
    return log10(np.mean([one.evaluations for one in found]))


def of_weights(seed: int, draws: int, steps: int) -> dict[str, float]:
    """What the best of blind draws reads, and how many it would take to read as much as gradients and evolution do."""
    train, _ = digits(seed)
    train = {name: values[:IMAGES] for name, values in train.items()}
    right = np.sort(drawn(network(train["x"], train["y"], (HIDDEN,), error="mistakes"), draws, seed))[::-1]
    decades = np.arange(1, int(log10(draws)))
    tail = np.polyfit(right[draws // 10**decades], decades, 1)  # the power of ten by what one of so many reads
    needed = float(np.polyval(tail, RIGHT))
    gradients = by_gradients(seed, train, steps)
    evolution = by_strategy(network(train["x"], train["y"], (HIDDEN,)), seed)
    return {
        "weights_best_blind": float(right[0]),
        "decades_weights": needed - log10(gradients),
        "decades_weights_evolution": needed - log10(evolution),
        "evaluations_gradients": float(gradients),
        "evaluations_evolution": float(evolution),
    }


def drawn(fitness: Network, count: int, seed: int) -> npt.NDArray[np.float64]:
    """The share of digits that each of so many random networks reads: matrices of variance 1 / inputs, biases 0.1."""
    rng, space = np.random.default_rng(seed), fitness.space
    each = [np.full(prod(one.shape), one.shape[0] ** -0.5 if len(one.shape) > 1 else 0.1) for one in pieces(space)]
    scale, found = np.concatenate(each), []
    for first in range(0, count, 1000):
        rows = rng.standard_normal((min(1000, count - first), space.size)) * scale
        found.append(1 - np.asarray(fitness.errors(Flat(rows.astype(np.float32)))))
    return np.concatenate(found)


def by_gradients(seed: int, train: Named, steps: int) -> float:
    """Evaluations until AdamW on all images reads RIGHT of them; infinite where it does not within `steps`."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))
    with run_of(
        model, of_examples, adamw(lr=0.02, weight_decay=0.0), train, train, seed=seed, batch_size=IMAGES
    ) as run:
        run.advance(steps)
        enough = np.flatnonzero(run.metrics()["accuracy"] >= RIGHT)
    return float(A_STEP * enough[0]) if len(enough) and enough[0] else float("inf")


def by_strategy(fitness: Network, seed: int) -> float:
    """The budget of evaluations with which an evolution strategy reads RIGHT of them, doubled until it does."""
    for budget in (2_000, 4_000, 8_000, 16_000, 32_000, 64_000):
        found = search(OpenAIES(sigma=0.02), fitness, seed=seed, evaluations=budget)
        if fitness.accuracy(found.best, fitness.x, fitness.labels) >= RIGHT:
            return float(budget)
    return float("inf")


CLAIM = Claim(
    name="blind-search-hopeless",
    sentence="Blind search is hopeless.",
    how="Circuits of 12 random two-input gates are drawn, up to 80 million for a target: parities of 2 to 6 bits, a "
    "half and a full adder. How many it takes to one that is right, by how many were, is fitted to the gates that a "
    "target needs and carried on to an adder of 3 bits. "
    "Cartesian genetic programming searches for the same. Likewise networks of 64, 16 and 10 units with random "
    "weights read 300 digits, against AdamW, a step of which counts as three evaluations, and an evolution strategy.",
    measure=measure,
    expects=(
        Expectation("factor_full_adder", ">=", 1e3, "a full adder takes blind draws 1,000 times the evaluations"),
        Expectation("factor_parity_of_6", ">=", 1e3, "and so does parity of six bits"),
        Expectation("decades_a_gate", ">=", 0.5, "each further gate makes it at least three times harder"),
        Expectation("decades_adder", ">=", 6, "an adder of 3 bits takes a million times the evaluations, carried on"),
        Expectation("decades_weights", ">=", 6, "and so do weights that read 9 digits of 10, against gradients"),
    ),
    quick=Form(
        (0, 1), 4.0,
        {"draws": {"parity of 2": 20_000, "parity of 3": 100_000, "half adder": 100_000, "parity of 6": 200_000,
                   "full adder": 200_000}, "tries": 1, "weights": 2_000, "steps": 40},
    ),
    full=Form(
        (0, 1, 2, 3, 4), 60.0,
        {"draws": {"parity of 2": 200_000, "parity of 3": 1_000_000, "half adder": 1_000_000, "parity of 4": 4_000_000,
                   "parity of 5": 20_000_000, "parity of 6": 80_000_000, "full adder": 80_000_000},
         "tries": 8, "weights": 100_000, "steps": 100},
    ),
    limits="What is carried on is no measurement: the interval is that of sampling, not of the straight line; "
    "foretold_wrong_by says by how many powers of ten a line through the smaller targets misses the largest measured. "
    "Random weights get rarer faster than the line through their tail, so that theirs is a lower bound. Nothing is "
    "told of blind search among programs, nor of a cleverer choice of what to draw from.",
    axes=("two-input gates that the target needs", "evaluations to a right circuit"),
    logarithmic="y",
    source="the one who asked for this project",
)  # fmt: skip
