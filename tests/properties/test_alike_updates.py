"""An index that steps were added to answers, for any series, what one that was made at once does, and misses none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.ask import index_cache, shape_lanes
from ontogeny.ask.alike import alike
from ontogeny.ask.groups import groups
from ontogeny.ask.index_cache import shape_index
from ontogeny.ask.series import UPDATES, VALUES, shapes, span
from ontogeny.record.trace.arrays import ArrayTraces
from tests.properties.test_alike import KINDS, drawn

LATER = ("same", "jump", "drift", "still", "nan", "shrink")


class Growing(ArrayTraces):
    """Arrays that are known up to some step; counts the states that pieces were read of."""

    def __init__(self, array: np.ndarray) -> None:
        super().__init__({"w": array})
        self.whole, self.read = array, 0

    def at(self, states: int) -> Growing:
        """As if only so many states were recorded yet."""
        self._arrays, self.steps = {"w": self.whole[:states]}, np.arange(states)
        return self

    def pieces(self, *args, **kwargs):
        for piece in super().pieces(*args, **kwargs):
            self.read = max(self.read, len(piece.values))
            yield piece


def gone_on(rng: np.random.Generator, kind: str, series: np.ndarray, more: int) -> np.ndarray:
    """Further numbers of a series."""
    noise, last = rng.normal(size=more), series[-1]
    size = 1.0 if not np.isfinite(series).all() else max(float(np.ptp(series)), abs(float(last)) * 1e-3)
    with np.errstate(all="ignore"):
        match kind:
            case "jump":
                return last + size * 10.0 ** rng.integers(1, 9) * (1 + 0.1 * noise)
            case "drift":
                return last + size * np.cumsum(1 + 0.1 * noise)
            case "still":
                return np.full(more, last)
            case "nan":
                return np.where(np.arange(more) == rng.integers(more), np.nan, last + noise)
            case "shrink":
                return last + size * 1e-6 * noise
        return last + size * np.cumsum(noise) / 4


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@given(
    seed=st.integers(0, 2**32),
    lengths=st.lists(st.integers(1, 30), min_size=2, max_size=5),
    kinds=st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(LATER)), min_size=2, max_size=40),
    dtype=st.sampled_from([np.float16, np.float32, np.float64, np.int64]),
    over=st.sampled_from([UPDATES, VALUES]),
    at_least=st.sampled_from([0.3, 0.9, 0.95, 0.999999, 1.0]),
    either_sign=st.booleans(),
    lag=st.sampled_from([0, 0, 1]),
)
@settings(max_examples=60, deadline=None)
def test_adding_steps_changes_no_answer(
    seed: int,
    lengths: list[int],
    kinds: list[tuple[str, str]],
    dtype: type,
    over: str,
    at_least: float,
    either_sign: bool,
    lag: int,
) -> None:
    rng = np.random.default_rng(seed)
    lengths[0] += 3
    rows: list[np.ndarray] = []
    for kind, _ in kinds:
        rows.append(drawn(rng, kind, lengths[0], rows))
    for more in lengths[1:]:
        rows = [np.append(row, gone_on(rng, later, row, more)) for row, (_, later) in zip(rows, kinds, strict=True)]
    with np.errstate(all="ignore"):
        values = np.stack(rows, 1)
        values = np.nan_to_num(values).clip(-1e9, 1e9).astype(dtype) if dtype is np.int64 else values.astype(dtype)
    growing, fresh = Growing(values), ArrayTraces({"w": values})
    for states in np.cumsum(lengths).tolist():
        shape_index(growing.at(states), span(growing, over))
    steps = span(growing, over)
    _, constant, unsound = shapes(steps.series(values))
    counts = shape_index(growing, steps).about["counts"]
    assert counts == shape_index(fresh, steps).about["counts"]
    assert counts["constant"] == constant.sum() and counts["not_finite"] == unsound.sum()
    assert np.array_equal(shape_index(growing, steps).modes, shape_index(fresh, steps).modes)
    for query in np.flatnonzero(~(constant | unsound))[:4].tolist():
        mine, theirs = (
            alike(t, f"w[{query}]", at_least, over=over, either_sign=either_sign, lag=lag) for t in (growing, fresh)
        )
        assert mine.elements.tolist() == theirs.elements.tolist()
        assert mine.scores.tolist() == theirs.scores.tolist() and mine.lags.tolist() == theirs.lags.tolist()
        assert mine.proof.whole and theirs.proof.whole


@given(seed=st.integers(0, 2**32), offset=st.sampled_from([0.0, 1.0, 1e4, 1e7]))
@settings(max_examples=20, deadline=None)
def test_vectors_stay_as_near_as_they_say(seed: int, offset: float) -> None:
    rng = np.random.default_rng(seed)
    rows = [np.cumsum(rng.normal(size=60)) * 10.0 ** rng.integers(-3, 3) + offset for _ in range(30)]
    rows += [
        np.append(np.full(40, 3.0), rng.normal(size=20)),
        np.append(rng.normal(size=20) * 1e-4, np.arange(40) ** 2),
    ]
    values = np.stack(rows, 1).astype(np.float32)
    growing = Growing(values)
    for states in (7, 8, 20, 45, 60):
        index = shape_index(growing.at(states), span(growing, VALUES))
        centred = shapes(values[:states].astype(np.float64))[0][:, index.order]
        away = np.linalg.norm(index.vectors(slice(None)).T - centred / np.linalg.norm(centred, axis=0), axis=0)
        assert away.max() <= index.away
        assert index.grown == (states > 7)
        assert growing.read == {7: 7, 8: 1, 20: 12, 45: 25, 60: 15}[states]
        growing.read = 0
    assert index.away <= 8 * shape_lanes.rounded_away(60)


def test_groups_and_modes_are_those_of_an_index_made_at_once() -> None:
    rng = np.random.default_rng(3)
    values = np.cumsum(rng.normal(size=(50, 2)) @ rng.normal(size=(2, 3000)) + 0.3 * rng.normal(size=(50, 3000)), 0)
    growing, fresh = Growing(values.astype(np.float32)), ArrayTraces({"w": values.astype(np.float32)})
    for states in (10, 30, 50):
        shape_index(growing.at(states), span(growing))
    mine, theirs = groups(growing, 0.9), groups(fresh, 0.9)
    assert mine.energy == theirs.energy and np.array_equal(mine.modes, theirs.modes)
    assert [group.leader for group in mine.groups] == [group.leader for group in theirs.groups]
    assert all(np.array_equal(a.elements, b.elements) for a, b in zip(mine.groups, theirs.groups, strict=True))
    found = [alike(traces, "w[5]", 0.5, without_modes=1) for traces in (growing, fresh)]
    assert found[0].scores.tolist() == found[1].scores.tolist() and len(found[0])


def test_numbers_that_cannot_be_squared_are_indexed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    values = np.cumsum(rng.normal(size=(20, 50)), 0) * 1e200
    built: list[int] = []
    build = index_cache.build
    monkeypatch.setattr(index_cache, "build", lambda *args: built.append(1) or build(*args))
    growing = Growing(values)
    for states in (10, 20):
        found = alike(growing.at(states), "w[3]", 0.5, over=VALUES)
    assert len(built) == 2 and not shape_index(growing, span(growing, VALUES)).grown
    assert found.scores.tolist() == alike(ArrayTraces({"w": values}), "w[3]", 0.5, over=VALUES).scores.tolist()
