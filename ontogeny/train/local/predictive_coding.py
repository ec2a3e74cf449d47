"""Predictive coding: units settle until each layer is told by the one before as well as can be, then synapses learn.

Whittington and Bogacz, "An approximation of the error backpropagation algorithm in a predictive coding network with
local Hebbian synaptic plasticity", 2017. With the output held at its target, the values v of hidden layers descend half
the sum of squared errors e = v - (W f(v before) + b); then W moves by e x f(v before), which are its own two ends.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ontogeny.front.local import Local
from ontogeny.front.trace import Batch
from ontogeny.train.local.perceptron import Directions, Perceptron, moved, told_squares

ROUNDS, RATE = 10, 0.2
"""Rounds of settling, and how far a value moves in each."""


def settled(model: Perceptron, x: Tensor, target: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The errors of each layer, and what it was given, once the values have settled."""
    weights = model.weights()
    values: list[Tensor] = []
    given = [x]
    for weight, bias in weights[:-1]:
        values.append(given[-1] @ weight.T + bias)
        given.append(torch.tanh(values[-1]))
    errors = _errors(model, values, given, target)
    for _ in range(ROUNDS):
        for at in range(len(values)):
            back = (errors[at + 1] @ weights[at + 1][0]) * (1 - given[at + 1] ** 2)
            values[at] = values[at] + RATE * (back - errors[at])
        given = [x, *(torch.tanh(value) for value in values)]
        errors = _errors(model, values, given, target)
    return errors, given


def _errors(model: Perceptron, values: list[Tensor], given: list[Tensor], target: Tensor) -> list[Tensor]:
    pairs = zip([*values, target], given, model.weights(), strict=True)
    return [value - (before @ weight.T + bias) for value, before, (weight, bias) in pairs]


def directions(model: Perceptron, batch: Batch) -> tuple[dict[str, Tensor], Directions]:
    """What is measured before settling, and what each parameter moves against."""
    x, y = batch["x"], batch["y"]
    scores = model(x)
    errors, given = settled(model, x, F.one_hot(y, scores.shape[1]).to(x.dtype))
    return told_squares(scores, y), moved([-error for error in errors], given)


PREDICTIVE_CODING = Local(directions)
