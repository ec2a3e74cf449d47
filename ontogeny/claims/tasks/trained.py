"""A learner on a task, run and recorded in a folder that is thrown away: what claims are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.front.capture import capture
from ontogeny.front.rules import Rule
from ontogeny.machine.learner import Learner
from ontogeny.record.run import Run
from ontogeny.record.temporary import temporary

Named = Mapping[str, Array]


@contextmanager
def run_of(
    model: nn.Module,
    loss: Any,
    rule: Rule,
    train: Named,
    valid: Named,
    *,
    seed: int,
    batch_size: int,
    evaluate_every: int = 0,
) -> Iterator[Run]:
    """A run at step 0 of a model on its examples; the held-out ones are evaluated. It is gone when the block ends."""
    example = {name: values[:batch_size] for name, values in train.items()}
    learner = capture(model, loss, rule, example, valid=valid, predict=lambda m, batch: m(batch["x"]))
    with running(learner, train, valid, seed=seed, batch_size=batch_size, evaluate_every=evaluate_every) as run:
        yield run


@contextmanager
def running(
    learner: Learner,
    train: Named,
    valid: Named,
    *,
    seed: int,
    batch_size: int,
    evaluate_every: int = 0,
    dials: Mapping[str, float] | None = None,
) -> Iterator[Run]:
    """The same of a learner that there is already, with dials of its own."""
    data = Arrays(dict(train), batch_size=batch_size, seed=seed)
    with temporary(learner, data, valid=valid, seed=seed, dials=dials, evaluate_every=evaluate_every) as run:
        yield run
