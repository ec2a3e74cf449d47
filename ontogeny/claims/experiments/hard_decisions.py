"""Gradients fail on binary decision points where evolution does not: digits through units that are only -1 or 1."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.digits import digits
from ontogeny.claims.tasks.losses import of_examples
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.rules import Rule, adamw, es

BATCH = 256


class Hard(nn.Module):
    """Sixteen hard units between the pixels and the scores; `through` lets a gradient pass them as it was."""

    def __init__(self, through: bool) -> None:
        super().__init__()
        self.units, self.scores, self.through = nn.Linear(64, 16), nn.Linear(16, 10), through

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, 10] of pixels f32[batch, 64]."""
        soft = self.units(x)
        hard = torch.sign(soft)
        scores: Tensor = self.scores(soft + (hard - soft).detach() if self.through else hard)
        return scores


def measure(seed: int, *, steps: int) -> Measured:
    """The three ways on the same images and first values, after as many steps."""
    plain = adamw(lr=0.02, weight_decay=0.0)
    ways: dict[str, tuple[Rule, bool]] = {
        "gradients": (plain, False),
        "evolution": (es(plain, pairs=64, sigma=0.1), False),
        "straight_through": (plain, True),
    }
    lines = {name: learned(seed, steps, rule, through) for name, (rule, through) in ways.items()}
    reached = {name: float(y[-1]) for name, (_, y) in lines.items()}
    over = reached["evolution"] - reached["gradients"], reached["evolution"] - reached["straight_through"]
    figures = {**reached, "over_gradients": over[0], "over_straight_through": over[1]}
    return Measured(figures, tuple(Series(name.replace("_", " "), x, y) for name, (x, y) in lines.items()))


def learned(seed: int, steps: int, rule: Rule, through: bool) -> tuple[list[float], list[float]]:
    """Steps, and the accuracy on held-out images at each of them."""
    train, valid = digits(seed)
    torch.manual_seed(seed)
    model = Hard(through)
    with run_of(model, of_examples, rule, train, valid, seed=seed, batch_size=BATCH, evaluate_every=20) as run:
        run.advance(steps)
        rows = run.evaluations()
    return [float(row["step"]) for row in rows], [float(row["accuracy"]) for row in rows]


CLAIM = Claim(
    name="hard-decisions",
    sentence="Gradients fail on binary decision points where evolution does not.",
    how="Digits of 8x8 pixels are read through sixteen units that are -1 or 1, with the same first values and as many "
    "steps: by AdamW on gradients, by AdamW on evolution strategies (64 pairs a step), and by AdamW on gradients that "
    "are let through the units unchanged.",
    measure=measure,
    expects=(
        Expectation(
            "over_gradients", ">=", 0.1, "evolution reads at least 10 points more held-out digits than gradients"
        ),
        Expectation("over_straight_through", ">=", 0.0, "and no fewer than gradients that are let through"),
    ),
    quick=Form((0, 1), 4.0, {"steps": 40}),
    full=Form((0, 1, 2, 3, 4), 30.0, {"steps": 600}),
    limits="One small network. A step of evolution goes forward 128 times more, so at equal work it has fewer steps.",
    axes=("step", "accuracy on held-out images"),
    source="the one who asked for this project",
)
