"""What a recorded loop told, sorted into metrics, evaluations and settings, as charts and pages show it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import ontogeny as og
from ontogeny.ask.chart import curves
from ontogeny.ask.told import told
from ontogeny.faces.sources import view_of
from ontogeny.faces.view import TRAIN, VALID
from ontogeny.faces.words import said


@pytest.fixture
def run(tmp_path: Path) -> og.Attached:
    """Twelve steps; a loss at each but the third, an evaluation after every fourth; the learning rate falls twice."""
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.4, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 5)
    with og.attach(model, optimizer, tmp_path / "run") as attached:
        for step in range(1, 13):
            model(torch.ones(1, 3)).sum().backward()
            optimizer.step()
            attached.step(None if step == 3 else 1 / step)
            schedule.step()
            if step % 4 == 0:
                attached.tell(val_loss=2 / step, eval_accuracy=0.5, coverage=step)
    return og.Attached(tmp_path / "run")


def test_what_is_told_now_and_then_is_an_evaluation_under_the_measures_own_name(run: og.Attached) -> None:
    found = told(run)
    assert found.evaluations == [
        {"step": step, "loss": 2 / step, "accuracy": 0.5, "coverage": float(step)} for step in (4, 8, 12)
    ]
    assert list(found.metrics) == ["step", "lr", "loss"]
    assert np.flatnonzero(np.isnan(found.metrics["loss"])).tolist() == [0]
    assert found.metrics["step"].tolist() == [0, 1, 2, *range(4, 13)]


def test_a_setting_holds_until_it_changes_and_is_no_curve_where_it_never_does(run: og.Attached) -> None:
    found = told(run)
    np.testing.assert_allclose(found.metrics["lr"], [0.4] * 5 + [0.04] * 5 + [0.004] * 2)
    assert found.settings["weight_decay"] == 0.01 and "lr" not in found.settings


def test_charts_and_pages_have_both_lines_of_a_measure(run: og.Attached) -> None:
    shown = {(curve.measure, curve.kind): curve.values for curve in curves(run, 0, 12)}
    assert shown["loss", "validation"].tolist() == [0.5, 0.25, 2 / 12]
    assert len(shown["lr", "training"]) == 12 and ("weight_decay", "training") not in shown
    view = view_of(run)
    assert list(view.lines("loss")) == [TRAIN, VALID] and view.parameters == 8
    assert view.about["optimizer"] == "SGD" and view.about["weight_decay"] == "0.01"


@pytest.mark.parametrize("second", [0.4, 0.1])
def test_groups_that_are_set_alike_are_told_once(tmp_path: Path, second: float) -> None:
    model = torch.nn.Linear(3, 2)
    groups = [{"params": [model.weight], "weight_decay": 0.1}, {"params": [model.bias], "lr": second}]
    optimizer = torch.optim.SGD(groups, lr=0.4)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    with og.attach(model, optimizer, tmp_path / "run") as attached:
        for _ in range(4):
            model(torch.ones(1, 3)).sum().backward()
            optimizer.step()
            schedule.step()
            attached.step(1.0)
    run = og.Attached(tmp_path / "run")
    assert said(run.entries[1]) == "SGD: weight; SGD: bias"
    found = told(run)
    rates = ["lr"] if second == 0.4 else ["lr.0", "lr.1"]
    assert [name for name in found.metrics if name.startswith("lr")] == rates
    np.testing.assert_allclose(found.metrics[rates[0]], [0.4, *(0.4 * 0.9**step for step in range(4))])
    assert found.settings["momentum"] == 0.0
    assert (found.settings["weight_decay.0"], found.settings["weight_decay.1"]) == (0.1, 0.0)
