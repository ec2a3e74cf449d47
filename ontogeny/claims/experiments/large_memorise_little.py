"""Large networks memorise little data: digits, some with labels drawn at random, by networks of growing size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ontogeny.ask.laws.of_runs import parameters_of
from ontogeny.ask.memorised import Memorised, memorised
from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks import digits as pictures
from ontogeny.claims.tasks.losses import of_examples
from ontogeny.data.arrays import Arrays
from ontogeny.data.canaries import plant
from ontogeny.front.capture import capture
from ontogeny.front.rules import adamw
from ontogeny.record.temporary import temporary


def measure(seed: int, *, examples: int, canaries: int, widths: Sequence[int], steps: int) -> Measured:
    """Networks with one hidden layer of these widths, narrowest first, on the same digits for as many steps."""
    sizes, found = zip(*(learnt(seed, examples, canaries, width, steps) for width in widths), strict=True)
    known = [one.index.known for one in found if one.index is not None]
    gaps = [one.train.right - one.valid.right for one in found if one.train is not None and one.valid is not None]
    held_out = [one.valid.right for one in found if one.valid is not None]
    figures = {
        "known_by_smallest": known[0],
        "known_by_largest": known[-1],
        "more_known": known[-1] - known[0],
        "gap_of_smallest": gaps[0],
        "gap_of_largest": gaps[-1],
        "held_out_of_smallest": held_out[0],
        "held_out_of_largest": held_out[-1],
        "parameters_of_largest": sizes[-1],
        "parameters_an_example": sizes[-1] / examples,
    }
    lines = {"random labels known": known, "true labels: known less held out": gaps, "held out": held_out}
    return Measured(figures, tuple(Series(name, sizes, values) for name, values in lines.items()))


def learnt(seed: int, examples: int, canaries: int, width: int, steps: int) -> tuple[float, Memorised]:
    """How many parameters a network has, and what it knows in the end of its examples, all of them at each step."""
    train, valid = pictures.digits(seed, examples)
    data = plant(Arrays(train, examples, seed), canaries, seed=seed)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
    rule = adamw(lr=1e-2, weight_decay=0.0)
    learner = capture(model, of_examples, rule, data.arrays, valid=valid, predict=lambda m, batch: m(batch["x"]))
    with temporary(learner, data, valid=valid, seed=seed) as run:
        run.advance(steps)
        return float(parameters_of(run.program)), memorised(run)


CLAIM = Claim(
    name="large-memorise-little",
    sentence="Large networks memorise little data.",
    how="200 images of digits, 40 of them with labels drawn at random among the wrong ones, which can only be known by "
    "heart, learned by networks with one hidden layer of 1 to 512 units, all images at each of 600 steps of AdamW "
    "without decay. Known are the random labels that a network says, the gap is the share of the other 160 that are "
    "right less that of 397 held-out images.",
    measure=measure,
    expects=(
        Expectation("known_by_largest", ">=", 0.95, "the largest network knows nearly all random labels", (0, 1)),
        Expectation("more_known", ">=", 0.5, "which the smallest does not: it is a matter of size", (-1, 1)),
        Expectation(
            "gap_of_largest", ">=", 0.1, "it knows a tenth more of what it was trained on than of others", (-1, 1)
        ),
    ),
    quick=Form((0, 1), 2.0, {"examples": 40, "canaries": 10, "widths": [2, 16], "steps": 10}),
    full=Form(
        tuple(range(5)), 12.0, {"examples": 200, "canaries": 40, "widths": [1, 2, 4, 8, 32, 128, 512], "steps": 600}
    ),
    limits="One task, one kind of network and no regularisation: what decay does against it is another claim. Held-out "
    "images are judged by true labels, so a network that learns the random ones can still be right on them.",
    axes=("parameters", "share"),
    logarithmic="x",
    source="the one who asked for this project",
)
