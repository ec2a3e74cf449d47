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


def test_a_group_in_one_column_has_that_in_common(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run", adamw)
    found = og.explain(run, ["0.weight[0,3]", "0.weight[2,3]"]).common
    assert found.tensors == ("0.weight",) and [(axis.dimension, axis.index) for axis in found.axes] == [(1, 3)]
    assert og.explain(run, ["0.weight[0,3]", "2.bias"]).common.axes == ()


def test_a_tensor_that_was_passed_over_did_not_decay(tmp_path: Path) -> None:
    def frozen(parameters: Parameters) -> Optimizer:
        every = list(parameters)
        every[0].requires_grad_(False)
        return adamw(every)

    found = og.explain(recorded(tmp_path / "run", frozen), "0.weight")
    assert found.ledger.total == 0 and not found.ledger.parts.any()


class Deaf(torch.optim.SGD):
    """An optimizer that takes no hooks."""

    def __init__(self, parameters: Parameters, **settings: float) -> None:
        super().__init__(parameters, **settings)
        del self._optimizer_step_post_hooks

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        with torch.no_grad():
            for group in self.param_groups:
                for tensor in group["params"]:
                    tensor.sub_(group["lr"] * (tensor.grad + group["weight_decay"] * tensor))


Deaf.step.hooked = True  # type: ignore[attr-defined]  # else torch wraps it in what calls hooks
Deaf.__name__ = "SGD"


def deaf(parameters: Parameters) -> Optimizer:
    return Deaf(parameters, lr=0.1, weight_decay=0.03)


def test_settings_of_an_optimizer_that_takes_no_hooks_are_not_guessed_where_they_changed(tmp_path: Path) -> None:
    def halved(optimizer: Optimizer, step: int) -> None:
        if step == 5:
            optimizer.param_groups[0]["lr"] /= 2

    found = og.explain(recorded(tmp_path / "run", deaf, schedule=halved), "0.weight")
    assert [step for step, part in zip(found.ledger.steps, found.ledger.of("decay"), strict=True) if not part] == [6]
    assert "beside 1 of the steps lr changed" in found.remarks[0] and found.undivided == (6,)
    sums_are_exact(found)


def twice(optimizer: Optimizer, step: int) -> None:
    """Another step of the optimizer, with another learning rate, before the loop's one is over."""
    if step == 4:
        optimizer.param_groups[0]["lr"] /= 2
        optimizer.step()


def test_a_step_in_which_the_optimizer_took_two_is_not_divided(tmp_path: Path) -> None:
    found = og.explain(recorded(tmp_path / "run", adamw, schedule=twice), "0.weight")
    assert found.undivided == (5,) and "beside 1 of the steps AdamW was seen to take 2 steps" in found.remarks[0]
    assert [step for step, part in zip(found.ledger.steps, found.ledger.of("decay"), strict=True) if not part] == [5]


def turning(optimizer: Optimizer, step: int) -> None:
    """A schedule that sets a rate for the next step at every step."""
    optimizer.param_groups[0]["lr"] = 0.01 / (2 + step)


@pytest.mark.parametrize("wrapped", [False, True])
def test_decay_is_exact_where_the_learning_rate_turns_at_every_step(tmp_path: Path, wrapped: bool) -> None:
    def make(parameters: Parameters) -> Optimizer:
        made = adamw(parameters)
        if not wrapped:
            return made
        accelerate = pytest.importorskip("accelerate")
        prepared: Optimizer = accelerate.Accelerator(cpu=True).prepare(made)
        return prepared

    run = recorded(tmp_path / "run", make, schedule=turning)
    found = og.explain(run, "0.weight[2,1]")
    assert found.undivided == () and len(found.remarks) == 1
    values = run.trajectory("0.weight")[2, 1, :].astype(np.float64)
    rates = np.array([0.01, *(0.01 / (2 + step) for step in range(11))])
    np.testing.assert_allclose(found.ledger.of("decay"), -rates * 0.25 * values[:-1], rtol=1e-12)
    assert run.metrics()["lr"].tolist() == rates.tolist()
    sums_are_exact(found)


def test_each_tensor_decays_as_its_own_group_and_optimizer_say(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run", groups, schedule=turning)
    assert not og.explain(run, "0.weight").ledger.of("decay").any()
    assert og.explain(run, "2.weight").ledger.of("decay").all()
    sums_are_exact(together := og.explain(run, "*"))
    assert together.undivided == ()


def test_groups_that_came_later_are_known_from_then_on(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 1))
    optimizer = torch.optim.AdamW(model[0].parameters(), lr=0.01, weight_decay=0.25)
    with og.attach(model, optimizer, tmp_path / "run") as recording:
        for step in range(8):
            if step == 4:
                optimizer.add_param_group({"params": [*model[1].parameters()], "weight_decay": 0.5})
            optimizer.zero_grad()
            model(torch.ones(2, 4)).sum().backward()
            optimizer.step()
            recording.step()
    run = og.Attached(tmp_path / "run")
    found = og.explain(run, "1.weight[0,0]")
    values = run.trajectory("1.weight")[0, 0, :].astype(np.float64)
    np.testing.assert_allclose(found.ledger.of("decay"), np.repeat([0, -0.005], 4) * values[:-1], rtol=1e-12)
    assert og.explain(run, "0.weight").ledger.of("decay").all() and found.undivided == ()


def test_what_no_optimizer_has_does_not_decay(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    optimizer = adamw(model.parameters())
    with og.attach(model, optimizer, tmp_path / "run", buffers=True) as recording:
        for _ in range(4):
            model(torch.randn(8, 4)).sum().backward()
            optimizer.step()
            recording.step()
    found = og.explain(og.Attached(tmp_path / "run"), "1.running_mean")
    assert found.ledger.change.any() and not found.ledger.of("decay").any() and found.undivided == ()


def test_several_optimizers_each_decay_their_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 1))
    first, second = adamw(model[0].parameters()), sgd(model[1].parameters())
    with og.attach(model, [first, second], tmp_path / "run") as recording:
        for step in range(6):
            model(torch.ones(2, 4)).sum().backward()
            first.step()
            if step != 3:
                second.step()
            recording.step()
    run = og.Attached(tmp_path / "run")
    for name, share in (("0.weight[0,0]", 0.0025), ("1.weight[0,0]", 0.003)):
        values = run.trajectory(name.partition("[")[0])[0, 0, :].astype(np.float64)
        kept = np.where(values[1:] == values[:-1], 0, 1)
        found = og.explain(run, name)
        np.testing.assert_allclose(found.ledger.of("decay"), -share * values[:-1] * kept, rtol=1e-9)
    assert og.explain(run, "1.weight").undivided == (4,) and og.explain(run, "0.weight").undivided == ()


def groups(parameters: Parameters) -> Optimizer:
    first, *rest = parameters
    return torch.optim.AdamW([{"params": [first], "weight_decay": 0.0}, {"params": rest, "weight_decay": 0.1}])


@pytest.mark.parametrize(
    ("make", "settings", "said"),
    [
        (lambda p: sgd(p, 0.9), {}, "SGD with momentum mixes decay"),
        (lambda p: torch.optim.Adam(p, weight_decay=0.1), {}, "Adam mixes decay"),
        (lambda p: torch.optim.Adafactor(p), {}, "what Adafactor does with decay is not known"),
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
