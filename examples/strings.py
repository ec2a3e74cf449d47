"""Strings of letters drawn uniformly at random, of which a small GPT can only remember: how many bits a parameter?

    for data in 1 2 4 8; do ontogeny run examples/strings.py data=$data --name strings-$data --steps 600; done
    ontogeny capacity strings-1 strings-2 strings-4 strings-8 -o capacity.png

`data` is how many bits of strings there are for each parameter. What is held rises with it to a plateau, the capacity.
"""

import torch

import ontogeny as og
from ontogeny.claims.tasks.losses import of_places
from ontogeny.claims.tasks.strings import Shape, Strings, rule, strings


def experiment(
    data: float = 4.8,
    width: int = 8,
    depth: int = 2,
    heads: int = 2,
    wider: int = 4,
    merged: bool = False,
    letters: int = 16,
    length: int = 32,
    steps: int = 600,
    precision: str = "f32",
    seed: int = 0,
) -> og.Experiment:
    """The task, ready to run; the rate falls to nothing over `steps`."""
    torch.manual_seed(seed)
    shape = Shape(width, depth, heads, wider, letters, length, merged)
    examples = strings(seed, shape.strings(data), shape)
    model = Strings(shape, precision=precision)
    learner = og.capture(
        model, of_places, rule(steps), examples, predict=lambda m, batch: m(batch["x"]), name="strings"
    )
    return og.Experiment(learner, og.Arrays(examples, len(examples["x"]), seed=seed), seed=seed, name="strings")
