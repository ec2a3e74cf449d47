"""The nearest by moments are those of scipy's moments of whole arrays."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from ontogeny.ask.alike_moments import alike_by_moments
from ontogeny.isa.errors import RecordError
from ontogeny.record.trace import Window
from ontogeny.record.trace.arrays import ArrayTraces


def charts() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    values = rng.gamma(rng.uniform(0.5, 9, 60), size=(50, 60)) * rng.uniform(0.1, 10, 60) + rng.normal(size=60)
    values[:, 7] = 2.0
    values[5, 8] = np.nan
    values[:, 20] = values[rng.permutation(50), 3]
    return {"a": values[:, :40].reshape(50, 5, 8), "b": values[:, 40:]}


def test_the_nearest_are_those_of_whole_arrays() -> None:
    arrays = charts()
    flat = np.concatenate([array.reshape(50, -1) for array in arrays.values()], axis=1)[10:45]
    before = np.concatenate([array.reshape(50, -1) for array in arrays.values()], axis=1)[9:45]
    columns = []
    with np.errstate(all="ignore"):
        for part in (flat, np.diff(before, axis=0)):
            part = np.where((part == part[0]).all(0), np.nan, part)
            columns += [
                part.mean(0),
                np.log(part.var(0, ddof=1)),
                *(f(part) for f in (scipy.stats.skew, scipy.stats.kurtosis)),
            ]
    table = np.stack(columns, 1)
    finite = np.isfinite(table).all(1)
    low, high = np.quantile(table[finite], (0.25, 0.75), axis=0)
    distances = np.sqrt((((table - table[3]) / (high - low)) ** 2).sum(1))
    distances[3] = np.nan
    wanted = np.argsort(distances)[:9]
    found = alike_by_moments(ArrayTraces(arrays), "a[0,3]", 9, window=Window(10, 45))
    names = [f"a[{n // 8},{n % 8}]" if n < 40 else f"b[{n - 40}]" for n in wanted.tolist()]
    assert [near.shown for near in found.nearest] == names
    np.testing.assert_allclose([near.distance for near in found.nearest], distances[wanted], rtol=1e-6)
    assert (found.elements, found.compared) == (60, int(finite.sum()))


def test_what_has_no_moments_is_refused() -> None:
    traces = ArrayTraces(charts())
    with pytest.raises(RecordError, match="does not vary"):
        alike_by_moments(traces, "a[0,7]")
    with pytest.raises(RecordError, match="1 or more"):
        alike_by_moments(traces, "a[0,0]", 0)
