"""However large the offset, moments in one pass stay within a stated error of the exact ones, by rational numbers.

An element at offset R times its spread keeps `EPSILON * R` of its mean's digits in f64; that is what one pass over a
record may lose, times a small constant. What is streamed relative to the first value loses nothing to the offset.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import ontogeny as og
from ontogeny.record.moments import Moments

EPSILON = 2.0**-52
Exact = tuple[Fraction, Fraction, float, float]
offsets = st.sampled_from([0.0, 1.0, -1e3, 1e6, 1e6 + 1 / 3, -1e9])
shapes = st.sampled_from(["normal", "gamma", "walk"])


def drawn(seed: int, offset: float, shape: str, steps: int) -> np.ndarray:
    """Trajectories [steps, 4] in f64 around an offset, of spread about 1."""
    rng = np.random.default_rng(seed)
    noise = rng.gamma(2.0, size=(steps, 4)) if shape == "gamma" else rng.normal(size=(steps, 4))
    return offset + (np.cumsum(noise, axis=0) / steps**0.5 if shape == "walk" else noise)


def exact(column: np.ndarray) -> Exact:
    """Mean, variance, skewness and kurtosis of f64 values; nothing is rounded before the last two's roots."""
    values = [Fraction(float(one)) for one in column]
    n = len(values)
    mean = sum(values, Fraction()) / n
    m2, m3, m4 = (sum((one - mean) ** power for one in values) for power in (2, 3, 4))
    return mean, m2 / (n - 1), float(m3 * m3 / m2**3 * n) ** 0.5 * (1 if m3 > 0 else -1), float(n * m4 / m2**2) - 3


def within(found: Moments, values: np.ndarray, error: float) -> None:
    """Mean relative to the spread, variance relative to itself, the others relative to themselves or to 1."""
    for place, column in enumerate(values.T):
        mean, variance, skewness, kurtosis = exact(column)
        spread = float(variance) ** 0.5
        assert abs(Fraction(float(found.mean[place])) - mean) <= error * spread + EPSILON * abs(float(mean))
        assert abs(Fraction(float(found.variance[place])) - variance) <= error * variance
        assert abs(float(found.skewness[place]) - skewness) <= error * max(1, abs(skewness))
        assert abs(float(found.kurtosis[place]) - kurtosis) <= error * max(1, abs(kurtosis))


def allowed(values: np.ndarray) -> float:
    """16 roundings of the mean, and 64 of numbers of the spread's own size."""
    ratio = float(np.max(np.abs(values).max(0) / values.std(0)))
    return EPSILON * (64 + 16 * ratio)


@given(st.integers(0, 2**32), offsets, shapes, st.lists(st.integers(1, 40), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_blocks_merged(seed: int, offset: float, shape: str, cuts: list[int]) -> None:
    values = drawn(seed, offset, shape, sum(cuts) + 8)
    found = Moments.start(np.zeros(4))
    for part in np.split(values, np.cumsum(cuts)):
        found = found.merged(Moments.of(part))
    within(found, values, allowed(values))


@given(st.integers(0, 2**32), offsets, shapes, st.integers(8, 150))
@settings(max_examples=40, deadline=None)
def test_one_by_one(seed: int, offset: float, shape: str, steps: int) -> None:
    values = drawn(seed, offset, shape, steps)
    found = Moments.start(np.zeros(4))
    for row in values:
        found.add(row)
    within(found, values, allowed(values))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@given(st.integers(0, 2**32), offsets, shapes, st.integers(8, 150), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_streamed(dtype: torch.dtype, seed: int, offset: float, shape: str, steps: int, rows: int) -> None:
    layer = nn.Linear(4, 1, bias=False, dtype=dtype)
    if dtype == torch.float32:
        offset = max(offset, -1e6)  # beyond, an f32 has no place for the spread
    seen = torch.from_numpy(drawn(seed, offset, shape, steps)).to(dtype)
    with torch.no_grad():
        layer.weight.copy_(seen[0])
        watched = og.watch_moments(layer, rows=rows)
        for row in seen[1:]:
            layer.weight.copy_(row)
            watched.step()
    values = seen.to(torch.float64).numpy()
    found = watched.table()["weight"]
    assert found.values.count == steps
    within(found.values, values, 256 * EPSILON)
    within(found.updates, np.diff(values, axis=0), 256 * EPSILON)
