"""Moments streamed while a model trains are those of one pass over its recorded trajectories."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import ontogeny as og
from ontogeny.ask.moments import moments
from ontogeny.isa.errors import RecordError
from ontogeny.record.attach.moment_files import read
from ontogeny.record.disk import RecordWarning
from ontogeny.record.moments import Moments, TensorMoments
from ontogeny.record.trace.traces import Window
from tests.spec.test_attach import batches, learn, network


def same(found: Moments, expected: Moments) -> None:
    """To the rounding of f64 in values whose offset is a few hundred times their spread."""
    assert found.count == expected.count
    for name in ("mean", "m2", "m3", "m4"):
        mine, theirs = getattr(found, name), getattr(expected, name)
        size = np.abs(expected.m2) ** {"mean": 0.5, "m2": 1, "m3": 1.5, "m4": 2}[name]
        np.testing.assert_array_less(np.abs(mine - theirs), 1e-9 * size + 1e-30)


def all_same(found: dict[str, TensorMoments], run: og.Attached, window: Window) -> None:
    expected = {item.tensor.name: item for item in moments(run.traces, window)}
    assert list(found) == list(expected)
    for name, item in found.items():
        assert item.tensor == expected[name].tensor
        same(item.values, expected[name].values)
        same(item.updates, expected[name].updates)


@pytest.mark.parametrize("rows", [1, 3, 16, 100])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_as_in_one_pass_over_the_record(tmp_path: Path, dtype: torch.dtype, rows: int) -> None:
    model = network(dtype)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    watched = og.watch_moments(model, rows=rows)
    with og.attach(model, optimizer, tmp_path / "run") as run:
        for number, batch in enumerate(batches(40, dtype)):
            learn(model, optimizer, batch)
            run.step()
            watched.step()
            if number == 24:
                first = watched.table()
                watched.reset()
    all_same(first, run.recorded(), Window(0, 26))
    all_same(watched.table(), run.recorded(), Window(26, None))
    all_same(watched.table(), run.recorded(), Window(26, None))
    assert (watched.first, watched.last) == (25, 40)


def test_kept_with_a_run_that_is_gone_on_with(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for resume in (False, True):
        with og.attach(model, optimizer, tmp_path / "run", moments=True, resume=resume) as run:
            for batch in batches(21):
                learn(model, optimizer, batch)
                run.step()
    found = read(tmp_path / "run")
    assert (found.first, found.last) == (0, 42)
    all_same({item.tensor.name: item for item in found.tensors}, run.recorded(), Window())


def test_every_step_counts_where_few_are_recorded(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    alone = og.watch_moments(model)
    with og.attach(model, optimizer, tmp_path / "run", every=10, moments=True) as run:
        for batch in batches(25):
            learn(model, optimizer, batch)
            run.step()
            alone.step()
    path = alone.save(tmp_path / "alone")
    assert path.is_file()
    for mine, kept in zip(read(tmp_path / "alone").tensors, read(tmp_path / "run").tensors, strict=True):
        assert mine.tensor == kept.tensor and mine.values.count == 26
        assert mine.updates.m4.tobytes() == kept.updates.m4.tobytes()


def test_kept_where_nobody_closes(tmp_path: Path) -> None:
    script = (
        "import torch, ontogeny as og; layer = torch.nn.Linear(2, 2); run = og.attach(layer, None, 'run', moments=True)"
        "\nfor _ in range(5):\n    run.step()"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=200)
    found = read(tmp_path / "run")
    assert (found.first, found.last, found.tensors[0].values.count) == (0, 5, 6)


def test_training_is_the_same_with_and_without() -> None:
    ends = []
    for watching in (False, True):
        model = network()
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        watched = og.watch_moments(model) if watching else None
        for batch in batches(20):
            learn(model, optimizer, batch)
            if watched is not None:
                watched.step()
        ends.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*ends)


def test_a_large_offset_costs_no_digits() -> None:
    """Drawn in f64 around 1e6 with spread 1: every moment is that of the same numbers without the offset."""
    layer = nn.Linear(50, 40, bias=False, dtype=torch.float64)
    noise = np.round(np.random.default_rng(0).gamma(2.0, size=(300, 40, 50)), 6)
    values = 1e6 + noise
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(values[0]))
        watched = og.watch_moments(layer)
        for row in values[1:]:
            layer.weight.copy_(torch.from_numpy(row))
            watched.step()
    found = watched.table()["weight"].values
    exact = Moments.of((values - 1e6).reshape(300, -1))
    for name in ("variance", "skewness", "kurtosis"):
        np.testing.assert_allclose(getattr(found, name), getattr(exact, name), rtol=1e-11, atol=1e-11)


def test_parameters_that_change_begin_anew() -> None:
    model = network()
    watched = og.watch_moments(model)
    watched.step()
    model[2] = nn.Linear(16, 5)
    with pytest.warns(RecordWarning, match="changed at step 2"):
        watched.step()
    watched.step()
    table = watched.table()
    assert table["2.weight"].tensor.shape == (5, 16)
    assert {item.values.count for item in table.values()} == {2} and watched.first == 2


def test_what_cannot_be_watched_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="rows=0"):
        og.watch_moments(network(), rows=0)
    with pytest.raises(RecordError, match="nothing to record"):
        og.watch_moments(network(), ["none.*"])
    with pytest.raises(RecordError, match="has no real numbers"):
        og.watch_moments(nn.BatchNorm1d(3), buffers=True)
    with pytest.raises(RecordError, match="has no moments"):
        read(tmp_path)
    path = og.watch_moments(network()).save(tmp_path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(RecordError, match="cannot be read"):
        read(tmp_path)
