"""Networks of several sizes that learn passages by heart, and a larger one that read others: what is held of real text.

The small ones are those of `strings.py`, by the rule that remembers most of random strings. All take as many steps of
at most BATCH sequences, so that little text is gone through more often.
"""

from __future__ import annotations

import torch

from ontogeny.claims.tasks.losses import of_places
from ontogeny.claims.tasks.passages import LENGTH, LETTERS, Named, for_nobody, for_reference
from ontogeny.claims.tasks.strings import RATE, Shape, Strings, rule
from ontogeny.claims.tasks.text import GPT
from ontogeny.data.arrays import Arrays
from ontogeny.front.capture import capture
from ontogeny.front.rules import cosine, muon, warmup
from ontogeny.machine.learner import Learner

BATCH, FEW = 64, 16
"""Sequences of a step at most: of a network that learns by heart, and of a reference."""
READING, DECAY = 4e-2, 0.1
"""Of a reference, by Muon, as on `text`."""


def shape(width: int, depth: int = 2) -> Shape:
    """A small network that tells the next character: 3,072 parameters at width 8, 9,216 at 16, 30,720 at 32."""
    return Shape(width=width, depth=depth, letters=LETTERS, length=LENGTH)


def sequences(data: float, size: Shape) -> int:
    """How many sequences have about so many characters for each parameter, at least one."""
    return max(1, round(data * size.parameters / LENGTH))


def small(seed: int, size: Shape, steps: int, rate: float = RATE) -> Learner:
    """A network of that size, to learn something in so many steps; held out is what nobody learns.

    Widths of 8 and 16 remember most at a `rate` of 0.15, a width of 32 at 0.08.
    """
    torch.manual_seed(seed)
    unseen = for_nobody()
    example = {name: values[:BATCH] for name, values in unseen.items()}
    told = lambda model, batch: model(batch["x"])  # noqa: E731
    return capture(Strings(size), of_places, rule(steps, rate), example, valid=unseen, predict=told, name="passages")


def larger(seed: int, width: int, depth: int, steps: int) -> Learner:
    """A reference, to read what is `for_reference` in so many steps."""
    torch.manual_seed(seed)
    example = {name: values[:FEW] for name, values in for_reference().items()}
    reading = muon(lr=READING, weight_decay=DECAY).with_schedule(warmup(min(30, 1 + steps // 10), cosine(steps, 0.02)))
    told = lambda model, batch: model(batch["x"])  # noqa: E731
    model = GPT(width, depth, LENGTH, symbols=LETTERS)
    return capture(model, of_places, reading, example, predict=told, name="reference")


def given(examples: Named, seed: int, most: int = BATCH) -> Arrays:
    """Examples in batches of so many at most."""
    return Arrays(examples, min(most, len(examples["x"])), seed)
