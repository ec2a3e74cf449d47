"""Bins hold what lies between their edges, for any float there is, and come back from their bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ontogeny.ask.bins import BINS, EDGES, FINITE, bins_of, counted, decoded, encoded, joined, merged, spread

numbers = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=30), elements=st.floats(width=32))


@given(numbers)
def test_a_number_lies_in_its_bin(values: np.ndarray) -> None:
    found, wide = bins_of(values).astype(np.int64), values.astype(np.float64)
    inside = (found >= FINITE.start) & (found < FINITE.stop)
    assert (EDGES[found[inside]] <= wide[inside]).all() and (wide[inside] < EDGES[found[inside] + 1]).all()
    assert not inside[~np.isfinite(wide)].any() and inside[np.abs(wide) < 3.38e38].all()
    assert (np.diff(EDGES) >= 0).all()


@given(numbers)
@settings(deadline=None)
def test_columns_count_and_come_back(values: np.ndarray) -> None:
    found = counted(values)
    for row, line in zip(found.matrix.toarray(), values, strict=True):
        whole = np.bincount(bins_of(line), minlength=BINS)
        assert np.array_equal(row[FINITE], whole[FINITE]) and row.sum() == whole[FINITE].sum()
    again = decoded(encoded(found))
    assert all(np.array_equal(getattr(found, name), getattr(again, name)) for name in ("starts", "bins", "counts"))
    assert np.array_equal(merged([found, found], len(found)).totals(), 2 * found.totals())
    assert np.array_equal(joined([found, found]).totals(), np.tile(found.totals(), 2))
    assert found.grouped(3).totals().sum() == found.totals().sum()


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=2, max_size=20, unique=True))
@settings(deadline=None)
def test_a_bin_is_shared_out_whole(edges: list[float]) -> None:
    between = np.concatenate([[-(2.0**128)], np.sort(np.array(edges, np.float64)), [2.0**128]])
    shares = np.asarray(spread(between).sum(axis=1)).reshape(-1)
    np.testing.assert_allclose(shares[FINITE], 1.0, rtol=1e-9)
