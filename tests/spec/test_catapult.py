"""The catapult as a rule: its course by formula, captured beside plain PyTorch, and that it learns."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ontogeny.claims.tasks.modular import Transformer, by_fan_in, loss, pairs
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.capture import capture
from ontogeny.isa.errors import ProgramError
from ontogeny.train.regimes.catapult import catapult
from ontogeny.train.regimes.small_embeddings import small_embeddings
from tests.spec.training import MLP, cross_entropy, differences, learned, trained

STEPS = 40


def factor(step: int) -> float:
    """Up over 4 steps, from step 10 to 30 down to a quarter; from step 4 on three times as much in 2 of every 12."""
    rise = min(1.0, (step + 1) / 4)
    done = min(1.0, max(0.0, (step - 10) / 20))
    return rise * (0.25 + 0.75 * (1 + math.cos(math.pi * done)) / 2) * (3 if step >= 4 and (step - 4) % 12 < 2 else 1)


def test_its_course_is_that_of_plain_adamw_at_these_rates() -> None:
    torch.manual_seed(0)
    model = MLP()
    batches = [{"x": torch.randn(16, 8), "y": torch.randint(0, 4, (16,))} for _ in range(STEPS)]
    rule = catapult(1e-2, weight_decay=0.5, betas=(0.8, 0.9), warm_up=4, cool=(10, 30), floor=0.25, burst=(3.0, 2, 12))
    machine, _ = learned(capture(model, cross_entropy, rule, batches[0]), batches)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.5, betas=(0.8, 0.9))
    trained(model, cross_entropy, optimizer, batches, schedule=torch.optim.lr_scheduler.LambdaLR(optimizer, factor))
    assert differences(machine, model)[1] < 1e-6


def test_without_a_course_the_rate_stays() -> None:
    torch.manual_seed(0)
    model = MLP()
    batches = [{"x": torch.randn(16, 8), "y": torch.randint(0, 4, (16,))} for _ in range(5)]
    machine, _ = learned(capture(model, cross_entropy, catapult(1e-2, cool=None), batches[0]), batches)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1.0, betas=(0.8, 0.95))
    trained(model, cross_entropy, optimizer, batches)
    assert differences(machine, model)[1] < 1e-6


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cool": (30, 10)}, "from step 30 to step 10"),
        ({"cool": (10, 30), "warm_up": 20}, "shorten the warm-up"),
        ({"burst": (2.0, 10, 10)}, "nothing between"),
        ({"warm_up": -3}, "warmup: -3 steps; expected 0 or more"),
    ],
)
def test_a_course_that_contradicts_itself_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ProgramError, match=said):
        catapult(**given)  # type: ignore[arg-type]


def test_small_embeddings_are_small_and_nothing_else_changes() -> None:
    torch.manual_seed(0)
    model = Transformer()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    small_embeddings(model)
    assert model.embed.weight.std().item() == pytest.approx(0.02, rel=0.05)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"embed.weight"}


def test_matrices_by_fan_in() -> None:
    torch.manual_seed(0)
    model = by_fan_in(Transformer())
    for part, columns in ((model.embed, 64), (model.query, 64), (model.down, 256)):
        assert isinstance(part, nn.Embedding | nn.Linear)
        assert part.weight.std().item() == pytest.approx(columns**-0.5, rel=0.05)


def test_it_is_recorded_replayed_and_learns_where_the_usual_rate_does_not() -> None:
    train, valid = pairs(23, 0.7, 0)
    torch.manual_seed(0)
    model = by_fan_in(Transformer(23, 32))
    with run_of(model, loss, catapult(), train, valid, seed=0, batch_size=128, evaluate_every=20) as run:
        run.advance(90)
        with run.fork(0, run.folder.parent / "usual", {"lr": 1e-3}) as usual:
            usual.advance(90)
            assert run.evaluations()[-1]["accuracy"] > usual.evaluations()[-1]["accuracy"] + 0.3
        assert run.verify().ok
