"""Bits of a run's targets by every code, held to sums by hand; what is memorised of labels that are pure chance."""

from __future__ import annotations

import bz2
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typer.testing import CliRunner

import ontogeny as og
from ontogeny.ask.capacity import Capacity, capacity
from ontogeny.faces.cli import app
from ontogeny.isa.errors import RecordError

COUNT, CLASSES = 96, 8


def loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return F.cross_entropy(model(batch["x"]), batch["y"])


def begun(folder: Path, labels: np.ndarray, seed: int = 0) -> og.Run:
    """A small network on inputs drawn by chance, 32 a step, so that three steps are an epoch."""
    torch.manual_seed(seed)
    x = np.random.default_rng(1).normal(size=(COUNT, 16)).astype(np.float32)
    model = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, CLASSES))
    data = {"x": x, "y": labels}
    learner = og.capture(model, loss, og.adamw(lr=3e-2), {name: values[:32] for name, values in data.items()})
    return og.create(folder, learner, og.Arrays(data, batch_size=32, seed=seed), seed=seed)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> og.Run:
    labels = np.random.default_rng(0).integers(0, CLASSES, COUNT)
    made = begun(tmp_path_factory.mktemp("runs") / "chance", labels)
    made.advance(60)
    return made


def described(found: Capacity, name: str) -> float:
    return next(one.bits for one in found.descriptions if one.name == name)


def test_labels_of_pure_chance_are_held_bit_by_bit(run: og.Run) -> None:
    before, after = capacity(run, 0), capacity(run)
    assert before.uniform == after.uniform == COUNT * math.log2(CLASSES)
    assert before.memorised < 0.1 * after.uniform < 0.9 * after.uniform < after.memorised <= after.uniform
    parameters = 16 * 48 + 48 + 48 * CLASSES + CLASSES
    assert (after.parameters, after.parameter_bits, after.targets) == (parameters, 32, COUNT)
    assert after.per_parameter == after.memorised / parameters


def test_the_models_code_is_its_negative_log_likelihood(run: og.Run) -> None:
    arrays, names = run.data.arrays, ("0.weight", "0.bias", "2.weight", "2.bias")
    weights = {name: torch.from_numpy(np.array(run.trajectory(name)[..., 60:61])[..., 0]) for name in names}
    hidden = F.relu(F.linear(torch.from_numpy(arrays["x"]), weights["0.weight"], weights["0.bias"]))
    logs = F.log_softmax(F.linear(hidden, weights["2.weight"], weights["2.bias"]).double(), -1)
    nats = -logs[torch.arange(COUNT), torch.from_numpy(arrays["y"])].sum().item()
    assert capacity(run).model == pytest.approx(nats / math.log(2), rel=1e-4)


def test_whole_descriptions_are_what_they_say(run: og.Run) -> None:
    found, labels = capacity(run), run.data.arrays["y"]
    assert described(found, "two_part") == pytest.approx(32 * found.parameters + found.model)
    first = run.metrics(1, 3)["loss"]  # the three steps of the first epoch, 32 examples each
    assert described(found, "prequential") == pytest.approx(first.sum() * 32 / math.log(2))
    assert described(found, "bz2") == 8 * len(bz2.compress(labels.astype(np.uint8).tobytes()))
    shares = np.bincount(labels) / COUNT
    assert found.frequencies == pytest.approx(-COUNT * (shares * np.log2(shares)).sum())
    assert not [one for one in capacity(run, 2).descriptions if one.name == "prequential"], "a third is not met yet"


def test_some_of_the_examples_are_taken_where_asked(run: og.Run) -> None:
    assert capacity(run, every=4).examples == COUNT // 4
    with pytest.raises(RecordError, match="give 1 or more"):
        capacity(run, every=0)


def test_what_another_run_knows_as_well_is_not_memorised(run: og.Run, tmp_path: Path) -> None:
    assert capacity(run, against=run).unintended == 0
    with begun(tmp_path / "other", np.zeros(COUNT, np.int64)) as other:
        found = capacity(run, against=other)
    assert found.against is not None and found.unintended is not None
    assert found.against > found.uniform  # it only knows zeros
    assert found.unintended == pytest.approx(found.against - found.model, rel=1e-2)


def test_a_run_without_classes_is_refused(tmp_path: Path) -> None:
    model, x = nn.Linear(2, 1), np.ones((8, 2), np.float32)
    data = {"x": x, "y": x[:, :1]}
    squared = lambda model, batch: ((model(batch["x"]) - batch["y"]) ** 2).mean()  # noqa: E731
    learner = og.capture(model, squared, og.sgd(lr=0.1), data, predict=lambda m, batch: m(batch["x"]))
    with og.create(tmp_path / "run", learner, og.Arrays(data, batch_size=8)) as run:
        run.advance(1)
        with pytest.raises(RecordError, match="no cross entropy over classes"):
            capacity(run)


def test_the_shell_says_it(run: og.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONTOGENY_RUNS", str(run.folder.parent))
    run.close()
    found = json.loads(CliRunner().invoke(app, ["capacity", "chance", "--json"]).stdout)
    assert found["per_parameter"] == capacity(og.open_run(run.folder)).per_parameter
    said = CliRunner().invoke(app, ["capacity", "chance", "--against", "chance"]).output
    assert "bits a parameter over the raw code" in said and "by the other run" in said and "two part" in said
    result = CliRunner().invoke(app, ["capacity", "chance", "--at", "900"])
    assert result.exit_code == 1 and "step 900 is not recorded" in result.output
