"""A large learning rate catapults to generalisation: steps to 95% of held-out sums against the rate, decay fixed.

AdamW's decay wears off rate x decay of a weight in each step, so a larger rate decays faster as well. What of the gain
is the decay's is told by a run at the usual rate whose decay is raised until both wear off alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.modular import Transformer, by_fan_in, loss, pairs
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.rules import adamw
from ontogeny.record.run import Run

USUAL, DECAY, REACHED, EVERY = 1e-3, 1.0, 0.95, 20
Ways = dict[str, dict[str, float]]


def measure(seed: int, *, prime: int, share: float, batch: int, rates: Sequence[float], steps: int) -> Measured:
    """Every rate from the same first values on the same batches, and the usual rate with the decay of the best."""
    torch.manual_seed(seed)
    train, valid = pairs(prime, share, seed)
    rule, model = adamw(USUAL, betas=(0.9, 0.98), weight_decay=DECAY), by_fan_in(Transformer(prime))
    with run_of(model, loss, rule, train, valid, seed=seed, batch_size=batch, evaluate_every=EVERY) as run:
        taken = [steps_to_goal(run, {"lr": rate}, steps) for rate in rates]
        least, best = min(zip(taken, rates, strict=True))
        alike = steps_to_goal(run, {"lr": USUAL, "weight_decay": DECAY * best / USUAL}, steps)
    usual = taken[rates.index(USUAL)]
    figures = {"times_fewer": usual / least, "times_fewer_than_decay_alone": alike / least, "best_rate": best}
    return Measured({**figures, "steps_at_best": least}, (Series("steps to 95% of held-out pairs", rates, taken),))


def steps_to_goal(run: Run, dials: dict[str, float], most: int) -> int:
    """Steps until held-out accuracy is at the goal by these dials, on a fork of step 0; `most` where it is not."""
    folder = run.folder.parent / "-".join(f"{name}-{value:g}" for name, value in dials.items())
    with run.fork(0, folder, dials) as fork:
        fork.advance(most, until=lambda metrics: metrics.get("valid.accuracy", 0.0) >= REACHED)
        return fork.step


CLAIM = Claim(
    name="large-rate-catapults",
    sentence="A large learning rate catapults to generalisation.",
    how="A one-layer transformer learns addition modulo a prime from 40% of all pairs, by AdamW at decay 1 and several "
    "constant rates, from the same values on the same batches, until 95% of held-out pairs are right. A run "
    "that does not get there counts the steps that it was given. One more run has the usual rate, 0.001, and a decay "
    "so much stronger that it wears off as much in a step as the best rate does.",
    measure=measure,
    expects=(
        Expectation("times_fewer", ">=", 2.0, "the best rate takes at most half the steps of the usual one"),
        Expectation(
            "times_fewer_than_decay_alone", ">=", 2.0, "nor does the usual rate with as much decay a step get there"
        ),
    ),
    quick=Form((0,), 4.0, {"prime": 23, "share": 0.7, "batch": 128, "rates": [1e-3, 1e-2], "steps": 60}),
    full=Form(
        (0, 1, 2, 3),
        30.0,
        {"prime": 97, "share": 0.4, "batch": 1024, "rates": [1e-3, 3e-3, 1e-2, 1.7e-2], "steps": 500},
    ),
    limits="One task and one small network. Ratios are lower bounds where a run did not get there in 500 steps. That "
    "the loss first rises, as in the catapult of theory, is not asked here.",
    axes=("learning rate", "steps"),
    logarithmic="xy",
    source="the one who asked for this project",
)
