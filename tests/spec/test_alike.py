"""Alike and groups: the answer is that of a plain comparison of every series with every other, in f64, on arrays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ontogeny.ask import index_cache
from ontogeny.ask.alike import alike
from ontogeny.ask.groups import groups, running, stretch
from ontogeny.ask.index_cache import shape_index
from ontogeny.ask.series import UPDATES, VALUES, span
from ontogeny.isa.errors import RecordError
from ontogeny.record.trace import TraceReader, Window
from ontogeny.record.trace.arrays import ArrayTraces
from ontogeny.record.trace.traces import element
from tests.regression import begin
from tests.spec.test_trace_store import record

STEPS = 30


def charts(seed: int, count: int = 400) -> dict[str, np.ndarray]:
    """Smooth, noisy, doubled, turned, shifted, constant and broken charts, in two tensors."""
    rng = np.random.default_rng(seed)
    modes = np.cumsum(rng.normal(size=(STEPS + 4, 3)), axis=0)
    values = modes[4:] @ rng.normal(size=(3, count)) + 0.05 * rng.normal(size=(STEPS, count)) + rng.normal(size=count)
    values[:, 1] = 4 * values[:, 0]
    values[:, 2] = 1 - values[:, 0]
    values[:, 3] = modes[4:, 0]
    values[:, 4] = modes[1:-3, 0]
    values[:, 5:8] = 0.25
    values[7, 8], values[9, 9] = np.nan, np.inf
    values[:, 10:60] = rng.normal(size=(STEPS, 50))
    whole = values.astype(np.float32)
    return {"a": whole[:, :300].reshape(STEPS, 15, 20), "b": whole[:, 300:]}


def plain(arrays: dict[str, np.ndarray], over: str, rows: slice) -> np.ndarray:
    """All series [length, n] in f64, in the order of the tensors."""
    flat = np.concatenate([array.reshape(STEPS, -1) for array in arrays.values()], axis=1).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return (np.diff(flat, axis=0, prepend=np.nan) if over == UPDATES else flat)[rows]


def correlations(series: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Pearson's correlation by its definition; NaN for series that have no shape."""
    with np.errstate(invalid="ignore", divide="ignore"):
        away, own = series - series.mean(0), query - query.mean()
        found = (away * own[:, None]).sum(0) / np.sqrt((away**2).sum(0) * (own**2).sum())
    found[(series == series[0]).all(0) | ~np.isfinite(series).all(0)] = np.nan
    return found


def lagged(series: np.ndarray, query: np.ndarray, lag: int) -> np.ndarray:
    length = len(series)
    mine, theirs = slice(max(0, lag), length + min(0, lag)), slice(max(0, -lag), length - max(0, lag))
    return correlations(series[mine], query[theirs])


@pytest.mark.parametrize("over", [UPDATES, VALUES])
@pytest.mark.parametrize("either_sign", [False, True])
@pytest.mark.parametrize("query", ["a[0,0]", "a[0,3]", "a[1,5]", "b[7]"])
def test_every_match_is_found_and_nothing_else(over: str, either_sign: bool, query: str) -> None:
    arrays = charts(1)
    traces = ArrayTraces(arrays)
    name, place = element(traces, query)
    own = place + (300 if name == "b" else 0)
    series = plain(arrays, over, slice(3, 27))
    scores = correlations(series, series[:, own])
    for at_least in (0.5, 0.9, 0.95, 0.999):
        found = alike(traces, query, at_least, over=over, window=Window(3, 27), either_sign=either_sign)
        with np.errstate(invalid="ignore"):
            wanted = np.flatnonzero((np.abs(scores) if either_sign else scores) >= at_least)
        assert sorted(found.elements.tolist()) == [number for number in wanted.tolist() if number != own]
        assert np.allclose(found.scores, scores[found.elements], rtol=0, atol=1e-12)
        assert found.proof.whole and found.proof.elements == 400
        assert found.proof.constant == 3 and found.proof.not_finite == 2
        assert (np.diff(np.abs(found.scores)) <= 0).all()


def test_doubled_and_turned_charts_correlate_by_one_exactly() -> None:
    traces = ArrayTraces(charts(2))
    assert [m.shown for m in alike(traces, "a[0,0]", 1.0, over=VALUES).matches()] == ["a[0,1]"]
    both = alike(traces, "a[0,1]", 0.999999, over=VALUES, either_sign=True).matches(2)
    assert {m.shown: round(m.score, 6) for m in both} == {"a[0,0]": 1.0, "a[0,2]": -1.0}


def test_a_lag_finds_the_chart_that_comes_later() -> None:
    arrays = charts(3)
    traces = ArrayTraces(arrays)
    series = plain(arrays, VALUES, slice(0, STEPS))
    tried = np.stack([lagged(series, series[:, 3], lag) for lag in (0, 1, -1, 2, -2, 3, -3)])
    with np.errstate(invalid="ignore"):
        scores = np.nanmax(np.where(np.isnan(tried), -2, tried), axis=0)
    for at_least in (0.7, 0.95):
        found = alike(traces, "a[0,3]", at_least, over=VALUES, lag=3)
        assert sorted(found.elements.tolist()) == [n for n in np.flatnonzero(scores >= at_least).tolist() if n != 3]
        assert np.allclose(found.scores, scores[found.elements], rtol=0, atol=1e-12)
        assert found.proof.whole
    best = found.matches(1)[0]
    assert (best.shown, best.lag, best.score) == ("a[0,4]", 3, 1.0)


def test_without_shared_modes_is_the_correlation_of_what_is_left() -> None:
    arrays = charts(4)
    traces = ArrayTraces(arrays)
    over = span(traces, VALUES)
    modes = shape_index(traces, over).modes[:, :2]
    series = plain(arrays, VALUES, slice(0, STEPS))
    series[:, ~np.isfinite(series).all(0)] = 0
    away = series - series.mean(0)
    left = away - modes @ (modes.T @ away)
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = (left.T @ left[:, 20]) / np.sqrt((left**2).sum(0) * (left[:, 20] ** 2).sum())
    scores[(away**2).sum(0) == 0] = np.nan
    found = alike(traces, "a[1,0]", 0.3, over=VALUES, without_modes=2)
    with np.errstate(invalid="ignore"):
        wanted = np.flatnonzero(scores >= 0.3)
    assert sorted(found.elements.tolist()) == [n for n in wanted.tolist() if n != 20]
    assert np.allclose(found.scores, scores[found.elements], rtol=0, atol=1e-10)
    assert found.proof.whole


@pytest.mark.parametrize("top", [1, 7, 150, 1000])
@pytest.mark.parametrize("either_sign", [False, True])
def test_the_nearest_are_the_nearest(top: int, either_sign: bool) -> None:
    arrays = charts(5)
    series = plain(arrays, UPDATES, slice(1, STEPS))
    scores = correlations(series, series[:, 100])
    size = np.abs(scores) if either_sign else scores
    wanted = [n for n in np.lexsort((np.arange(400), -np.nan_to_num(size, nan=-9))).tolist() if n != 100]
    wanted = [n for n in wanted if not np.isnan(size[n])][:top]
    found = alike(ArrayTraces(arrays), "a[5,0]", top=top, either_sign=either_sign)
    assert np.allclose(np.abs(found.scores), np.abs(scores[wanted]), rtol=0, atol=1e-12)
    assert len(set(found.elements.tolist()) & set(wanted)) == len(wanted)
    assert found.proof.whole
    few = alike(ArrayTraces(arrays), "a[5,0]", 0.9, top=top, either_sign=either_sign)
    assert len(few) == int((size[wanted] >= 0.9).sum())


def test_scores_that_are_not_compared_stay_within_the_tolerance_and_the_members_stay_exact() -> None:
    traces = ArrayTraces(charts(6))
    exact = alike(traces, "a[2,0]", 0.9, over=VALUES)
    near = alike(traces, "a[2,0]", 0.9, over=VALUES, exact_scores=False)
    assert near.proof.certain > 0 and near.proof.whole
    assert sorted(near.elements.tolist()) == sorted(exact.elements.tolist())
    by_number = dict(zip(exact.elements.tolist(), exact.scores, strict=True))
    assert all(abs(by_number[n] - s) <= near.tolerance for n, s in zip(near.elements, near.scores, strict=True))


def test_what_cannot_be_asked_is_refused_with_the_reason() -> None:
    traces = ArrayTraces(charts(7))
    for words, settings in (
        ("all the same", {"query": "a[0,5]"}),
        ("not all finite", {"query": "a[0,8]", "over": VALUES}),
        ("did you mean", {"query": "aa[0,5]"}),
        ("above 0", {"query": "a[0,0]", "at_least": 0.0}),
        ("half of the window", {"query": "a[0,0]", "lag": 20}),
        ("takes 3 or more", {"query": "a[0,0]", "window": Window(4, 6)}),
        ("choose updates or values", {"query": "a[0,0]", "over": "losses"}),
        ("1 or more", {"query": "a[0,0]", "top": 0}),
        ("cannot be taken out", {"query": "a[0,0]", "without_modes": 99}),
    ):
        with pytest.raises(RecordError, match=words):
            alike(traces, **settings)


def test_a_name_that_is_not_there_is_refused_before_an_index_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(*_: object) -> None:
        raise AssertionError("an index was made")

    monkeypatch.setattr("ontogeny.ask.alike.shape_index", made)
    with pytest.raises(RecordError, match="did you mean 'a'"):
        alike(ArrayTraces(charts(7)), "aa[0,5]")


def test_nothing_but_constants_is_answered_too() -> None:
    arrays = {"w": np.zeros((8, 5), np.float32)}
    arrays["w"][:, 2] = np.arange(8) ** 2
    found = alike(ArrayTraces(arrays), "w[2]")
    assert len(found) == 0 and found.proof.constant == 4 and found.proof.whole
    assert not groups(ArrayTraces(arrays)).groups
    assert not groups(ArrayTraces({"w": np.zeros((8, 5), np.float32)})).groups


def test_a_store_with_tensors_that_come_later_says_what_is_missing(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    early = {"a": np.cumsum(rng.normal(size=(12, 6)), 0).astype(np.float32)}
    late = {name: np.cumsum(rng.normal(size=(12, 6)), 0).astype(np.float32) for name in ("a", "b")}
    record(tmp_path, early)
    record(tmp_path, late, first=12)
    traces = TraceReader(tmp_path)
    found = alike(traces, "a[1]", 0.2)
    assert found.proof.missing == 6 and found.proof.whole
    with pytest.raises(RecordError, match="not recorded at every step"):
        alike(traces, "b[1]", 0.2)
    assert alike(traces, "b[1]", 0.2, window=Window(14, 24)).proof.missing == 0


def test_a_run_keeps_its_index_and_proves_it_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with begin(tmp_path / "run") as run:
        run.advance(40)
        found = alike(run, "w[0,0]", 0.1, window=Window(5, 30))
        kept = tmp_path / "run" / "cache" / "shapes"
        assert [path.name for path in kept.iterdir()] == ["updates-5-29"]
        monkeypatch.setattr(index_cache, "build", None)
        again = alike(run, "w[0,0]", 0.1, window=Window(5, 30))
        assert again.elements.tolist() == found.elements.tolist()
        run.advance(5)
        assert alike(run, "w[0,0]", 0.1, window=Window(5, 30)).scores.tolist() == found.scores.tolist()
        monkeypatch.undo()
        about = json.loads((kept / "updates-5-29" / "about.json").read_text())
        (kept / "updates-5-29" / "about.json").write_text(json.dumps({**about, "proof": "another"}))
        assert alike(run, "w[0,0]", 0.1, window=Window(5, 30)).elements.tolist() == found.elements.tolist()
        assert json.loads((kept / "updates-5-29" / "about.json").read_text())["proof"] == about["proof"]
        with pytest.raises(RecordError, match="narrow the window"):
            shape_index(run, span(run.traces, VALUES), budget=10)


def test_the_index_used_longest_ago_goes_first(tmp_path: Path) -> None:
    with begin(tmp_path / "run") as run:
        run.advance(40)
        for stop in (20, 25, 30):
            shape_index(run, span(run.traces, UPDATES, Window(5, stop)), budget=7000)
        names = sorted(path.name for path in (tmp_path / "run" / "cache" / "shapes").iterdir())
        assert "updates-5-29" in names and "updates-5-19" not in names


def test_groups_are_the_planted_ones_and_say_when_they_formed() -> None:
    rng = np.random.default_rng(9)
    values = rng.normal(size=(80, 500))
    one, two = rng.normal(size=(2, 80))
    values[:, :200] = one[:, None] * rng.uniform(1, 2, 200) + 0.02 * rng.normal(size=(80, 200))
    values[:40, :200] = 0.02 * rng.normal(size=(40, 200))
    values[:, 200:260] = two[:, None] * rng.choice([-1, 1], 60) + 0.02 * rng.normal(size=(80, 60))
    traces = ArrayTraces({"w": values[:, :230].astype(np.float32), "v": values[:, 230:].astype(np.float32)})
    found = groups(traces, 0.95, over=VALUES, either_sign=True)
    first, second = found.groups
    assert first.elements.tolist() == list(range(200)) and first.tensors == {"w": 200}
    assert second.elements.tolist() == list(range(200, 260)) and second.tensors == {"w": 30, "v": 30}
    assert first.formed is not None and 40 <= first.formed <= 60 and first.held == 79
    assert second.formed == 15 and second.held == 79
    assert abs(np.corrcoef(second.chart, two)[0, 1]) > 0.999
    assert found.grouped == 260 and found.sampled == found.shaped == 500
    assert found.energy[0] > 0.2 and abs(np.corrcoef(found.modes[:, 0], one * (np.arange(80) >= 40))[0, 1]) > 0.9


def test_members_reach_their_leader_and_no_two_free_elements_reach_each_other() -> None:
    arrays = charts(10)
    series = plain(arrays, VALUES, slice(0, STEPS))
    found = groups(ArrayTraces(arrays), 0.9, over=VALUES, most=400)
    traces, taken = ArrayTraces(arrays), set()
    for group in found.groups:
        name, place = element(traces, group.leader)
        scores = correlations(series, series[:, place + (300 if name == "b" else 0)])
        with np.errstate(invalid="ignore"):
            wanted = set(np.flatnonzero(scores >= 0.9).tolist()) - taken
        assert set(group.elements.tolist()) == wanted and group.size == len(wanted) >= 2
        taken |= wanted
    free = [n for n in range(400) if n not in taken]
    with np.errstate(invalid="ignore"):
        assert all((correlations(series[:, free], series[:, n]) >= 0.9).sum() <= 1 for n in free)


def test_a_stretch_must_last() -> None:
    flags = np.array([0, 1, 1, 0, 1, 1, 1, 1, 0, 1], bool)
    assert stretch(flags, 3) == (4, 7)
    assert stretch(flags, 5) is None
    assert stretch(np.ones(2, bool), 5) == (0, 1)


def test_running_correlation_is_the_mean_over_members_of_each_stretch() -> None:
    rng = np.random.default_rng(11)
    series, chart = rng.normal(size=(12, 4)), rng.normal(size=12)
    expected = [np.mean(correlations(series[a : a + 5], chart[a : a + 5])) for a in range(8)]
    assert np.allclose(running(series, chart, 5), expected)
