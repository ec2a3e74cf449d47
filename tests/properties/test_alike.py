"""No series is ever missed: for any series, the index answers what comparing each with the query does, in f64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.ask import shape_build, shape_index, shape_lanes
from ontogeny.ask.alike import alike
from ontogeny.ask.series import VALUES, best, lags, shapes, span
from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.arrays import ArrayTraces
from tests.spec.test_trace_store import FORMATS

KINDS = ("walk", "noise", "near", "doubled", "turned", "constant", "nan", "spike", "huge", "tiny")


def drawn(rng: np.random.Generator, kind: str, length: int, before: list[np.ndarray]) -> np.ndarray:
    """A series of a kind, perhaps made of one before it."""
    base = before[int(rng.integers(len(before)))] if before else np.cumsum(rng.normal(size=length))
    with np.errstate(all="ignore"):
        match kind:
            case "walk":
                return np.cumsum(rng.normal(size=length))
            case "near":
                return base + rng.normal(size=length) * 10.0 ** -rng.integers(1, 7)
            case "doubled":
                return base * 2.0 ** rng.integers(-3, 4)
            case "turned":
                return -base
            case "constant":
                return np.full(length, rng.normal())
            case "nan":
                return np.where(np.arange(length) == rng.integers(length), np.nan, base)
            case "spike":
                return np.where(np.arange(length) == rng.integers(length), 1.0, 0.0)
            case "huge":
                return base * 1e37
            case "tiny":
                return base * 1e-42
    return rng.normal(size=length)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@given(
    seed=st.integers(0, 2**32),
    length=st.integers(3, 60),
    kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=60),
    dtype=st.sampled_from([kind for kind in FORMATS if np.dtype(kind).itemsize > 1]),
    at_least=st.sampled_from([1e-9, 0.3, 0.9, 0.95, 0.999999, 1.0]),
    either_sign=st.booleans(),
    lag=st.sampled_from([0, 0, 0, 1]),
)
@settings(max_examples=150, deadline=None)
def test_the_answer_is_that_of_comparing_all(
    seed: int, length: int, kinds: list[str], dtype: object, at_least: float, either_sign: bool, lag: int
) -> None:
    rng = np.random.default_rng(seed)
    rows: list[np.ndarray] = []
    for kind in kinds:
        rows.append(drawn(rng, kind, length, rows))
    with np.errstate(all="ignore"):
        values = np.nan_to_num(np.stack(rows, 1)) if np.dtype(dtype).kind in "iub" else np.stack(rows, 1)
        values = np.clip(values, 0, 100).astype(dtype) if np.dtype(dtype).kind in "ub" else values.astype(dtype)
    traces = ArrayTraces({"w": values})
    centred, constant, unsound = shapes(span(traces, VALUES).series(values))
    query = int(rng.integers(len(kinds)))
    if constant[query] or unsound[query]:
        with pytest.raises(RecordError, match="has no shape"):
            alike(traces, f"w[{query}]", at_least, over=VALUES)
        return
    scores, which = best(centred, centred[:, query], lags(lag), either_sign)
    with np.errstate(invalid="ignore"):
        wanted = np.flatnonzero((np.abs(scores) if either_sign else scores) >= at_least)
    found = alike(traces, f"w[{query}]", at_least, over=VALUES, either_sign=either_sign, lag=lag)
    assert sorted(found.elements.tolist()) == [number for number in wanted.tolist() if number != query]
    assert found.scores.tolist() == scores[found.elements].tolist()
    assert found.lags.tolist() == which[found.elements].tolist()
    assert found.proof.whole and found.proof.constant + found.proof.not_finite == int((constant | unsound).sum())


@given(seed=st.integers(0, 2**32), rank=st.integers(1, 30), noise=st.sampled_from([0.0, 1e-3, 0.3]))
@settings(max_examples=15, deadline=None)
def test_leaves_and_heads_rule_out_nothing_that_matches(seed: int, rank: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    count = 3 * shape_index.LEAF + 17
    values = rng.normal(size=(40, rank)) @ rng.normal(size=(rank, count)) + noise * rng.normal(size=(40, count))
    traces = ArrayTraces({"w": values})
    centred = shapes(values)[0]
    query = int(rng.integers(count))
    for at_least, either_sign in ((0.6, True), (0.95, False), (0.99, False)):
        scores, _ = best(centred, centred[:, query], [0], either_sign)
        wanted = np.flatnonzero((np.abs(scores) if either_sign else scores) >= at_least)
        found = alike(traces, f"w[{query}]", at_least, over=VALUES, either_sign=either_sign)
        assert sorted(found.elements.tolist()) == [number for number in wanted.tolist() if number != query]


@given(seed=st.integers(0, 2**32), k=st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_heads_and_rests_bound_every_correlation(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    unit = rng.normal(size=(50, 33))
    unit -= unit.mean(1, keepdims=True)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    basis = np.linalg.qr(rng.normal(size=(33, k)))[0].astype(np.float32)
    vectors = np.rint(unit / shape_lanes.UNIT) * shape_lanes.UNIT
    assert np.linalg.norm(vectors - unit, axis=1).max() <= shape_lanes.rounded_away(33)
    head = (vectors.astype(np.float32) @ basis).astype(np.float64)
    rest = vectors - head @ basis.T
    assert np.linalg.norm(rest @ basis, axis=1).max() <= shape_build.skew(basis)
    found = shape_build.leaves_of(np.vstack([head.T, np.linalg.norm(rest, axis=1)]).astype(np.float32))
    assert found["low"].shape == (k + 1, 1)
    asked = unit[0] @ basis
    row = np.append(asked, np.linalg.norm(unit[0] - basis @ asked))
    bound = min(
        float(np.maximum(row, 0) @ found["high"][:, 0] + np.minimum(row, 0) @ found["low"][:, 0]),
        float(row @ found["centre"][:, 0] + found["radius"][0] * np.linalg.norm(row)),
    )
    assert bound >= (vectors @ unit[0]).max() - 1e-5
