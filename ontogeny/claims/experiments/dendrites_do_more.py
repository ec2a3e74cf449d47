"""Dendritic neurons do more per neuron at equal parameters: digits through few units, with branches and without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.digits import digits
from ontogeny.claims.tasks.losses import of_examples
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.rules import adamw
from ontogeny.train.neurons.dendritic import Dendritic

INPUTS, CLASSES, BRANCHES = 64, 10, 8
Named = Mapping[str, Tensor]


def dendritic(units: int, seed: int) -> nn.Module:
    """Units with branches, read by a linear layer."""
    return nn.Sequential(Dendritic(INPUTS, units, BRANCHES, seed), nn.Linear(units, CLASSES))


def point(*units: int) -> nn.Module:
    """Layers of plain units (ReLU of one sum), read by a linear layer."""
    layers: list[nn.Module] = []
    for before, after in zip((INPUTS, *units), units, strict=False):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(units[-1], CLASSES))


def parameters(model: nn.Module) -> int:
    """How many numbers a model learns."""
    return sum(parameter.numel() for parameter in model.parameters())


def as_many(count: int, made: Callable[[int], nn.Module]) -> int:
    """The most units that one of these models can have with no more than so many parameters."""
    units = 1
    while parameters(made(units + 1)) <= count:
        units += 1
    return units


def measure(seed: int, *, steps: int, units: list[int], at: int) -> Measured:
    """Accuracy by number of units; at `at` units also what plain ones with as many parameters reach."""
    torch.manual_seed(seed)
    ours = parameters(dendritic(at, seed))
    others = {"same_parameters": [as_many(ours, point)], "two_layers": 2 * [as_many(ours, lambda n: point(n, n))]}
    lines = {
        "dendritic": [accuracy(seed, steps, partial(dendritic, n, seed)) for n in units],
        "point": [accuracy(seed, steps, partial(point, n)) for n in units],
    }
    place = units.index(at)
    figures = {name: values[place] for name, values in lines.items()}
    figures.update({name: accuracy(seed, steps, partial(point, *widths)) for name, widths in others.items()})
    plain = {name: point(*widths) for name, widths in others.items()}
    counted = {"dendritic": dendritic(at, seed), "point": point(at), **plain}
    figures.update({f"{name}_parameters": float(parameters(model)) for name, model in counted.items()})
    figures["over_same_neurons"] = figures["dendritic"] - figures["point"]
    figures["over_same_parameters"] = figures["dendritic"] - figures["same_parameters"]
    figures["over_two_layers"] = figures["dendritic"] - figures["two_layers"]
    return Measured(figures, tuple(Series(name, units, values) for name, values in lines.items()))


def accuracy(seed: int, steps: int, made: Callable[[], nn.Module]) -> float:
    """Held-out digits that a model reads after so many steps."""
    train, valid = digits(seed)
    torch.manual_seed(seed)
    rule = adamw(lr=0.01, weight_decay=0.01)
    with run_of(made(), of_examples, rule, train, valid, seed=seed, batch_size=128, evaluate_every=steps) as run:
        run.advance(steps)
        return float(run.evaluations()[-1]["accuracy"])


CLAIM = Claim(
    name="dendrites-do-more",
    sentence="Dendritic neurons do more per neuron, and at equal parameters.",
    how="Digits of 8x8 pixels are read through a layer of few units. A dendritic unit has the 64 pixels on eight "
    "branches of eight, drawn at random, a ReLU on each, and adds them up: 81 parameters. Beside it: as many plain "
    "units (65 parameters each), then as many as have the dendritic network's parameters, in one layer and in two.",
    measure=measure,
    expects=(
        Expectation("over_same_neurons", ">=", 0.01, "at least a point more held-out digits with as many units"),
        Expectation("over_same_parameters", ">=", 0.0, "and no fewer than plain units with as many parameters"),
        Expectation("over_two_layers", ">=", 0.0, "nor than two layers of them"),
    ),
    quick=Form((0, 1), 1.5, {"steps": 10, "units": [6], "at": 6}),
    full=Form((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), 15.0, {"steps": 600, "units": [2, 4, 6, 10, 16], "at": 6}),
    limits="One small task, one way of drawing branches (at random, not beside each other), rates tuned for neither. A "
    "dendritic unit is a small network of two layers: counted by branches, it has nine neurons, not one.",
    axes=("units", "accuracy on held-out images"),
    logarithmic="x",
    source="the one who asked for this project",
)
