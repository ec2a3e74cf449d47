"""`ontogeny trace`: which trajectories there are, and what is written as Zarr is what the run had."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

import ontogeny as og
from ontogeny.faces.cli import app
from ontogeny.record.run import open_run
from ontogeny.record.trace.zarr_io import read
from tests.regression import begin


@pytest.fixture(autouse=True)
def a_folder_of_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


def test_a_native_run_is_written_by_replay(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    with begin(tmp_path / "small") as run:
        run.advance(70)
    out = str(tmp_path / "out.zarr")
    found = json.loads(shell("trace", "small", "--to-zarr", out, "--steps", "3:67", "--json").stdout)
    assert (found["first"], found["last"], found["steps"]) == (3, 66, 64)
    traces = read(out)
    source = open_run(tmp_path / "small").traces
    for name in source.tensors:
        assert np.array_equal(traces.row(40)[name], source.row(40)[name])
    assert "exists" in shell("trace", "small", "--to-zarr", out, exit_code=1).stderr
    assert "w " in shell("trace", "small").stdout


def test_an_attached_run_is_written_and_named_tensors_alone(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    run = og.attach(model, optimizer, tmp_path / "loop")
    for _ in range(6):
        optimizer.zero_grad()
        loss = model(torch.ones(4, 3)).square().sum()
        loss.backward()
        optimizer.step()
        run.step(loss)
        seen.append(model.weight.detach().numpy().copy())
    run.close()
    out = str(tmp_path / "loop.zarr")
    shell("trace", "loop", "--to-zarr", out, "--tensor", "weight")
    found = read(out)
    assert list(found.tensors) == ["weight"]
    assert np.array_equal(found.row(int(found.steps[-1]))["weight"], seen[-1])


def test_without_zarr_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with begin(tmp_path / "small") as run:
        run.advance(3)
    monkeypatch.setitem(sys.modules, "zarr", None)
    said = shell("trace", "small", "--to-zarr", str(tmp_path / "out"), exit_code=1).stderr
    assert "ontogeny[zarr]" in said
    assert "no recorded step" in shell("trace", "small", "--steps", "9:", exit_code=1).stderr


def test_what_was_written_is_asked_like_the_run_itself(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    with begin(tmp_path / "small") as run:
        run.advance(40)
    out = str(tmp_path / "out.zarr")
    shell("trace", "small", "--to-zarr", out)
    for question in (
        ("moments", "--elements", "--top", "50"),
        ("alike", "w[0,0]", "--at-least", "0.5", "--either-sign"),
        ("groups", "--at-least", "0.5"),
    ):
        of_run, of_zarr = (
            json.loads(shell(question[0], source, *question[1:], "--json").stdout) for source in ("small", out)
        )
        assert of_run == of_zarr, question
    picture = tmp_path / "chart.html"
    shell("chart", out, "-o", str(picture))
    assert "out" in picture.read_text(encoding="utf-8")
    assert "did you mean 'w'" in shell("alike", out, "v[0,0]", exit_code=1).stderr
