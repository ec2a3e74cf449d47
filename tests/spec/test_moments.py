"""Moments streamed in one pass are those of scipy on the whole, for values and updates, over any window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.ask.moments import moments, outliers
from ontogeny.isa.errors import RecordError
from ontogeny.record.moments import Moments
from ontogeny.record.trace import TraceReader, Window
from tests.spec.test_trace_store import record


def close(found: Moments, values: np.ndarray) -> None:
    """The same as scipy's, in f64."""
    assert found.count == len(values)
    np.testing.assert_allclose(found.mean, values.mean(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.variance, values.var(0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(found.skewness, scipy.stats.skew(values), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.kurtosis, scipy.stats.kurtosis(values), rtol=1e-6, atol=1e-6)


@given(st.integers(0, 2**32), st.lists(st.integers(1, 9), min_size=1, max_size=5), st.floats(-1e4, 1e4))
@settings(max_examples=40, deadline=None)
def test_merged_in_any_cut(seed: int, cuts: list[int], offset: float) -> None:
    values = np.random.default_rng(seed).gamma(2.0, size=(sum(cuts) + 4, 3)) + offset
    parts = np.split(values, np.cumsum(cuts))
    found = Moments.start(np.zeros(3))
    for part in parts:
        found = found.merged(Moments.of(part))
    whole = Moments.of(values)
    for name in ("mean", "m2", "m3", "m4"):
        np.testing.assert_allclose(getattr(found, name), getattr(whole, name), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("library", [np, torch], ids=["numpy", "torch"])
def test_one_by_one(library: object) -> None:
    values = np.random.default_rng(0).gamma(2.0, size=(200, 5))
    found = Moments.start(np.zeros(5) if library is np else torch.zeros(5, dtype=torch.float64))
    for row in values:
        found.add(row if library is np else torch.from_numpy(row))
    close(Moments(found.count, *(np.asarray(p) for p in (found.mean, found.m2, found.m3, found.m4))), values)


@pytest.mark.parametrize("window", [Window(), Window(70, 150), Window(0, 64), Window(199, 200)], ids=str)
def test_over_a_window(tmp_path: Path, window: Window) -> None:
    values = np.cumsum(np.random.default_rng(1).normal(size=(200, 1500)), axis=0).astype(np.float32)
    record(tmp_path, {"w": values.reshape(200, 30, 50), "b": values[:, :3]})
    found = {item.tensor.name: item for item in moments(TraceReader(tmp_path), window)}
    whole = values.astype(np.float64)
    chosen = whole[slice(window.start, window.stop)]
    first = (window.start or 0) - 1
    moved = np.diff(whole[max(0, first) : window.stop], axis=0)
    assert found["w"].values.count == len(chosen)
    if len(chosen) > 1:
        close(found["w"].values, chosen)
        close(found["b"].updates, moved[:, :3])
    with pytest.raises(RecordError, match=r"no recorded step lies in the window 500:600 \(recorded: \d+ to \d+\)"):
        moments(TraceReader(tmp_path), Window(500, 600))


def test_pieces_may_cut_a_tensor_elsewhere_each_time(tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(size=(70, 5000)).astype(np.float32)
    record(tmp_path, {"w": values})
    (cut,) = moments(TraceReader(tmp_path), piece_bytes=64 * 1024 * 4)
    close(cut.values, values.astype(np.float64))
    close(cut.updates, np.diff(values.astype(np.float64), axis=0))


def test_the_odd_one_out_is_found(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=(100, 400)).astype(np.float32)
    values[50, 123] = 60
    record(tmp_path, {"w": values.reshape(100, 20, 20)})
    best = outliers(moments(TraceReader(tmp_path)), "values", 4)
    assert {row.element for row in best} == {"w[6,3]"}
    assert best[0].deviation > 10
