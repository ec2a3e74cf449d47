"""What can be said of why a recorded loop's parameters changed: decay where its record tells it, nothing guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ontogeny as og
from ontogeny.ask.explanation import KEPT_APART
from ontogeny.isa.errors import RecordError
from tests.spec.ledgers import sums_are_exact

Optimizer = torch.optim.Optimizer
Parameters = Any


def adamw(parameters: Parameters) -> Optimizer:
    return torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.25)


def sgd(parameters: Parameters, momentum: float = 0.0) -> Optimizer:
    return torch.optim.SGD(parameters, lr=0.1, weight_decay=0.03, momentum=momentum)


def recorded(
    folder: Path,
    make: Callable[[Parameters], Optimizer],
    steps: int = 12,
    *,
    idle: bool = False,
    schedule: Callable[[Optimizer, int], None] | None = None,
    tell: dict[str, float] | None = None,
    **policy: Any,
) -> og.Attached:
    """A small model's record. With `idle` no gradient is anything but zero."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    optimizer = make(model.parameters())
    x = torch.randn(16, 4)
    with og.attach(model, optimizer, folder, **policy) as run:
        for step in range(steps):
            optimizer.zero_grad()
            ((model(x) ** 2).mean() * (0.0 if idle else 1.0)).backward()
            optimizer.step()
            if schedule:
                schedule(optimizer, step)
            run.step(**(tell or {}))
    return og.Attached(folder)


@pytest.mark.parametrize(("make", "share"), [(adamw, 0.01 * 0.25), (sgd, 0.1 * 0.03)])
def test_decay_is_its_share_of_the_value_before(tmp_path: Path, make: Any, share: float) -> None:
    run = recorded(tmp_path / "run", make)
    values = run.trajectory("0.weight")[2, 1, :].astype(np.float64)
    found = og.explain(run, "0.weight[2,1]", "3:9")
    assert [line.kind for line in found.ledger.lines] == ["decay", "rest"]
    assert found.ledger.steps.tolist() == list(range(3, 9))
    np.testing.assert_allclose(found.ledger.of("decay"), -share * values[2:8], rtol=1e-12)
    assert (found.ledger.change == values[3:9] - values[2:8]).all()
    (member,) = found.members
    assert (member.before, member.after) == (values[2], values[8])
    sums_are_exact(found)
    assert json.loads(json.dumps(found.as_json()))["lines"][0]["kind"] == "decay"


def test_without_a_gradient_decay_is_all_there_is_but_rounding(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run", sgd, idle=True)
    found = og.explain(run, "*")
    sums_are_exact(found)
    moved = np.array([member.sums for member in found.members])
    assert (np.abs(moved[:, 1]) <= 12 * np.spacing(np.float32(0.5))).all() and np.abs(moved[:, 0]).max() > 1e-2


def test_a_group_is_the_sum_of_its_members_and_a_large_one_has_its_sum_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorded(tmp_path / "run", adamw)
    found = og.explain(run, ["0.weight", "2.bias"])
    sums_are_exact(found)
    assert found.count == len(found.members) == 13 < KEPT_APART
    together = np.sum([member.sums for member in found.members], axis=0)
    np.testing.assert_allclose(found.ledger.sums, together, rtol=1e-12)
    monkeypatch.setattr("ontogeny.ask.explain_recorded.KEPT_APART", 4)
    monkeypatch.setattr("ontogeny.ask.explain_recorded.PIECE_BYTES", 8 * 13 * 5)
    large = og.explain(run, ["0.weight", "2.bias"])
    assert large.members == ()
    np.testing.assert_allclose(large.ledger.sums, found.ledger.sums, rtol=1e-12)


def test_a_tensor_that_was_passed_over_did_not_decay(tmp_path: Path) -> None:
    def frozen(parameters: Parameters) -> Optimizer:
        every = list(parameters)
        every[0].requires_grad_(False)
        return adamw(every)

    found = og.explain(recorded(tmp_path / "run", frozen), "0.weight")
    assert found.ledger.total == 0 and not found.ledger.parts.any()


def test_steps_beside_which_a_setting_changed_are_not_guessed(tmp_path: Path) -> None:
    def halved(optimizer: Optimizer, step: int) -> None:
        if step == 5:
            optimizer.param_groups[0]["lr"] /= 2

    found = og.explain(recorded(tmp_path / "run", adamw, schedule=halved), "0.weight")
    assert [step for step, part in zip(found.ledger.steps, found.ledger.of("decay"), strict=True) if not part] == [6]
    assert "beside 1 of the steps lr changed" in found.remarks[0] and found.undivided == (6,)
    sums_are_exact(found)


def groups(parameters: Parameters) -> Optimizer:
    first, *rest = parameters
    return torch.optim.AdamW([{"params": [first], "weight_decay": 0.0}, {"params": rest, "weight_decay": 0.1}])


@pytest.mark.parametrize(
    ("make", "settings", "said"),
    [
        (lambda p: sgd(p, 0.9), {}, "SGD with momentum mixes decay"),
        (lambda p: torch.optim.Adam(p, weight_decay=0.1), {}, "Adam mixes decay"),
        (lambda p: torch.optim.Adafactor(p), {}, "what Adafactor does with decay is not known"),
        (groups, {}, "groups decay differently"),
        (adamw, {"every": 3}, "over several steps"),
        (adamw, {"error": 1e-3}, "within 0.001"),
        (adamw, {"tell": {"lr": 0.5}}, "a metric called lr itself"),
    ],
)
def test_what_the_record_does_not_tell_is_said_and_not_divided(
    tmp_path: Path, make: Any, settings: dict[str, Any], said: str
) -> None:
    found = og.explain(recorded(tmp_path / "run", make, **settings), "0.weight[0,0]")
    assert [line.kind for line in found.ledger.lines] == ["rest"]
    assert any(said in remark for remark in found.remarks)
    sums_are_exact(found)


def test_groups_that_decay_alike_are_as_one(tmp_path: Path) -> None:
    def alike(parameters: Parameters) -> Optimizer:
        first, *rest = parameters
        return torch.optim.AdamW([{"params": [first]}, {"params": rest}], weight_decay=0.1)

    assert og.explain(recorded(tmp_path / "run", alike), "0.weight").ledger.of("decay").all()


@pytest.mark.parametrize("steps", ["40:50", "5:5", "0:1", ":90"])
def test_a_window_without_a_change_is_refused(tmp_path: Path, steps: str) -> None:
    with pytest.raises(RecordError, match="the steps 0 to 12"):
        og.explain(recorded(tmp_path / "run", adamw), "0.weight[0,0]", steps)
