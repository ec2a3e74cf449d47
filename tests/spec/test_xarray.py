"""Trajectories as xarray has them: named axes, steps as coordinates, the recorded values."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ontogeny.isa.errors import RecordError
from ontogeny.record.trace import Trajectory, Window
from ontogeny.record.trace.arrays import ArrayTraces
from ontogeny.record.trace.labelled import dataset
from tests.regression import begin

WIDE = np.random.default_rng(0).standard_normal((30, 4, 5)).astype(np.float32)
SOURCE = ArrayTraces({"wide": WIDE, "one": np.arange(30.0)}, first=7)


def test_a_trajectory_has_steps_as_coordinates() -> None:
    pytest.importorskip("xarray")
    found = Trajectory(SOURCE, "wide").xarray()
    assert found.dims == ("axis_0", "axis_1", "step") and found.name == "wide"
    assert np.array_equal(found.sel(step=17).to_numpy(), WIDE[10])
    assert np.array_equal(found.sel(step=slice(9, 12)).isel(axis_0=1).to_numpy(), WIDE[2:6, 1].T)


def test_a_whole_run_is_one_dataset(tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    found = dataset(SOURCE, Window(10, 20))
    assert found.sizes["step"] == 10 and set(found) == {"wide", "one"}
    assert np.array_equal(found["wide"].to_numpy(), WIDE[3:13])
    assert float(found["one"].sel(step=12)) == 5.0
    with begin(tmp_path / "run") as run:
        run.advance(20)
        whole = dataset(run.traces)
        for name in run.traces.tensors:
            assert np.array_equal(whole[name].sel(step=11).to_numpy(), run.traces.row(11)[name])


def test_without_xarray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    for ask in (lambda: dataset(SOURCE), Trajectory(SOURCE, "wide").xarray):
        with pytest.raises(RecordError, match=r"ontogeny\[xarray\]"):
            ask()
