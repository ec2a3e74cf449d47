"""A chart's densities are those of plain NumPy histograms, and nothing is lost, whatever the numbers and the zoom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import ontogeny as og
from ontogeny.ask import bins
from ontogeny.ask.chart import Chart, chart, layer_of
from ontogeny.ask.density import from_index, planned, turning
from ontogeny.ask.exact_density import from_values
from ontogeny.ask.pyramid import ALL_TENSORS
from ontogeny.ask.pyramid_build import pyramid, stands
from ontogeny.ask.quantity import Stream
from ontogeny.ask.scale import LINEAR, LOG, SYMMETRIC
from ontogeny.isa.errors import RecordError
from ontogeny.record.trace import TraceReader, Window
from ontogeny.record.trace.arrays import ArrayTraces
from tests.spec.test_trace_store import record

Array = npt.NDArray[np.float32]


class Recorded:
    """Trajectories that lie with a folder, as a run's do."""

    def __init__(self, folder: Path, arrays: Mapping[str, Array]) -> None:
        self.folder, self.traces = folder, ArrayTraces(arrays)


def walk(steps: int, elements: int, seed: int = 0) -> Array:
    """Trajectories on a grid of 1/256, so that what lies halfway between two of them is exact in 32 bits."""
    draw = np.random.default_rng(seed)
    moves = draw.integers(-64, 65, (steps, elements)).cumsum(0) + draw.integers(-512, 513, elements)
    return (moves / 256).astype(np.float32)


def with_holes(steps: int, elements: int) -> Array:
    values = walk(steps, elements)
    values[3, 1], values[4:7, 2], values[5, 3] = np.nan, np.inf, -np.inf
    return values


def whole(found: Chart) -> npt.NDArray[np.float64]:
    """What each column of the first panel adds up to."""
    density = found.panels[0].density
    return density.counts.sum(0, dtype=np.float64) + density.below + density.above + density.nonfinite


def middles(values: Array, columns: int) -> npt.NDArray[np.float64]:
    """Where the lines are in the middle of each column: [columns, elements]."""
    at = (np.arange(columns) + 0.5) / columns * (len(values) - 1)
    before = np.minimum(at.astype(int), len(values) - 2)
    share = (at - before)[:, None]
    return values[before].astype(np.float64) * (1 - share) + values[before + 1].astype(np.float64) * share


EDGES = bins.EDGES[np.searchsorted(bins.EDGES, np.linspace(-4, 4, 41))]
"""Rows that bins do not straddle."""


@pytest.mark.parametrize("elements", [70, bins.WIDE + 100], ids=["sorted", "counted"])
def test_between_steps_a_column_is_the_histogram_of_the_lines_there(elements: int) -> None:
    values = walk(9, elements)
    traces = ArrayTraces({"w": values})
    index = pyramid(traces)
    plan = planned(index, slice(0, 9), 64)
    found = from_index(index, plan, ["w"], turning(EDGES))
    for column, numbers in enumerate(middles(values, 64)):
        expected = np.histogram(numbers[numbers < EDGES[-1]], EDGES)[0]
        np.testing.assert_allclose(found.counts[:, column], expected, atol=1e-3)
        assert found.below[column] == pytest.approx((numbers < EDGES[0]).sum())
        assert found.above[column] == pytest.approx((numbers >= EDGES[-1]).sum())


def test_a_column_of_many_steps_is_their_mean_whatever_level_it_is_read_from() -> None:
    values = walk(5000, 12) / 16
    traces = ArrayTraces({"w": values[:, :5], "b": values[:, 5:]})
    index = pyramid(traces)
    assert {level for level, _ in index.files} == {0, 1, 2}
    nodes = index.cover(0, 4999)
    assert max(node.level for node in nodes) == 2 and len(nodes) < 40 and sum(node.steps for node in nodes) == 4999
    plan = planned(index, slice(0, 5000), 10)
    found = from_index(index, plan, [ALL_TENSORS], turning(EDGES))
    for column in range(10):
        numbers = values[plan.first[column] : plan.last[column]]
        inside = numbers[(numbers >= EDGES[0]) & (numbers < EDGES[-1])]
        np.testing.assert_allclose(found.counts[:, column], np.histogram(inside, EDGES)[0] / len(numbers), atol=1e-4)
        assert found.mean[column] == pytest.approx(numbers.mean(dtype=np.float64), abs=1e-6)
        assert (found.low[column], found.high[column]) == (numbers.min(), numbers.max())
    assert plan.first[0] == 0 and plan.last[-1] == 5000 and (plan.last[:-1] == plan.first[1:]).all()


@pytest.mark.parametrize("quantity", ["value", "update", "z"])
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("elements", [40, 5000])
def test_every_column_adds_up_to_the_elements(quantity: str, log: bool, elements: int) -> None:
    traces = ArrayTraces({"w": with_holes(80, elements).reshape(80, -1, 4)})
    found = chart(traces, quantity=quantity, log=log, columns=37, rows=23, span=(-0.5, 0.75))
    np.testing.assert_allclose(whole(found), elements, rtol=1e-5)
    assert found.recorded == (79 if quantity == "update" else 80)  # the first step has no update
    assert found.panels[0].density.nonfinite.sum() > 1


@pytest.mark.parametrize("quantity", ["value", "update", "z"])
def test_quantities_are_what_numpy_says(quantity: str) -> None:
    values = walk(70, 3000).astype(np.float64) / 7
    numbers = {
        "value": values,
        "update": np.diff(values, axis=0, prepend=np.nan),
        "z": (values - values.mean(0)) / values.std(0),
    }[quantity].astype(np.float32)
    traces = ArrayTraces({"w": values})
    index = pyramid(traces, quantity)
    for row in (1, 33, 69):
        columns, stats = index.read(index.node(row), "w") or pytest.fail("nothing there")
        expected = np.histogram(numbers[row].astype(np.float64), np.unique(bins.EDGES))[0]
        found = columns.matrix[[index.node(row).column]].toarray()[0]
        moved = np.abs(np.cumsum(found)[bins.FINITE] - np.cumsum(expected)[-len(found[bins.FINITE]) :]).max()
        assert found.sum() == 3000 and moved <= (3 if quantity == "z" else 0)
        assert stats.high[index.place(index.node(row))] == pytest.approx(numbers[row].max(), rel=1e-6)


def test_z_is_over_the_window_and_what_never_moves_is_zero() -> None:
    values = walk(50, 20)
    values[:, 3] = 7.0
    found = chart(ArrayTraces({"w": values}), quantity="z", steps="10:40", lines=["w[3]", "w[5]"])
    inside = values[10:40, 5].astype(np.float64)
    assert (found.panels[0].lines[0].values == 0).all()
    np.testing.assert_allclose(found.panels[0].lines[1].values, (inside - inside.mean()) / inside.std())
    np.testing.assert_allclose(whole(found), 20, rtol=1e-5)


def test_a_zoom_shows_what_the_whole_shows_there() -> None:
    traces = ArrayTraces({"w": walk(65, 9000)})
    wide = chart(traces, columns=256, rows=64, span=(-4.0, 4.0)).panels[0].density
    part = chart(traces, steps="16:33", columns=64, rows=64, span=(-2.0, 2.0)).panels[0].density
    coarse = part.counts.reshape(32, 2, 64).sum(1)
    np.testing.assert_allclose(coarse, wide.counts[16:48, 64:128], atol=1e-2)


def test_lines_counted_from_values_cover_what_fine_sampling_does() -> None:
    values = walk(12, 30)
    traces, edges = ArrayTraces({"w": values}), np.linspace(-6, 6, 25)
    index = pyramid(traces)
    plan = planned(index, slice(0, 12), 5)
    known = from_index(index, plan, ["w"], turning(edges))
    stream = Stream(traces, index.steps, "value")
    (found,) = from_values(stream, slice(0, 12), plan.edges, [(["w"], edges, known)])
    fine = middles(values, 5 * 2000).reshape(5, -1)
    for column, numbers in enumerate(fine):
        rows = np.histogram(numbers, edges)[0] / 2000
        np.testing.assert_allclose(found.counts[:, column], rows, atol=0.03)
    np.testing.assert_allclose(found.counts.sum(0) + found.below + found.above, 30, rtol=1e-6)


def test_a_steep_line_is_drawn_whole() -> None:
    values = np.array([[0.0], [10.0], [0.0]], np.float32)
    found = chart(ArrayTraces({"w": values}), columns=4, rows=20).panels[0]
    assert found.exact and ((found.density.counts > 0).sum(0) >= 10).all()


def test_a_zoom_finer_than_the_bins_reads_the_values_or_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    values = (1 + walk(20, 4000) / 4096).astype(np.float32)
    found = chart(ArrayTraces({"w": values}), span=(1.0, 1.0001), rows=50, columns=19).panels[0]
    assert found.exact and found.blur == 1
    monkeypatch.setattr("ontogeny.ask.chart.AGAIN", 10)
    coarse = chart(ArrayTraces({"w": values}), span=(1.0, 1.0001), rows=50, columns=19).panels[0]
    assert not coarse.exact and coarse.blur >= 50


def test_scales_follow_the_signs_of_the_values() -> None:
    values = walk(10, 50)
    of = {"w": values}, {"w": np.abs(values) + 1}
    assert chart(ArrayTraces(of[0])).panels[0].scale.kind == LINEAR
    assert chart(ArrayTraces(of[0]), log=True).panels[0].scale.kind == SYMMETRIC
    assert chart(ArrayTraces(of[1]), log=True).panels[0].scale.kind == LOG
    flat = chart(ArrayTraces({"w": np.full((5, 3), 2.0, np.float32)})).panels[0]
    assert flat.edges[0] < 2 < flat.edges[-1]
    gone = chart(ArrayTraces({"w": np.full((5, 3), np.nan, np.float32)}), columns=8)
    assert (gone.panels[0].density.nonfinite == 3).all()
    assert (whole(chart(ArrayTraces({"w": values[:1]}), columns=4)) == 50).all()


def test_a_run_that_went_on_is_indexed_on_and_a_changed_one_anew(tmp_path: Path) -> None:
    values = walk(200, 3000)
    short, long = Recorded(tmp_path, {"w": values[:100]}), Recorded(tmp_path, {"w": values})
    chart(short)
    assert stands(short) and not stands(long)
    path = tmp_path / "cache" / "chart-value" / "0-000000000.chart"
    before = path.stat().st_mtime_ns
    grown = chart(long).panels[0].density
    assert path.stat().st_mtime_ns == before and stands(long)
    assert np.array_equal(grown.counts, chart(Recorded(tmp_path / "fresh", {"w": values})).panels[0].density.counts)
    other = Recorded(tmp_path, {"w": -values})
    assert not stands(other)
    assert np.array_equal(
        chart(other).panels[0].density.counts, chart(ArrayTraces({"w": -values})).panels[0].density.counts
    )


def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    source = Recorded(tmp_path, {"w": walk(100, 3000)})
    expected = chart(source).panels[0].density.counts
    for path in (tmp_path / "cache" / "chart-value").iterdir():
        path.write_bytes(path.read_bytes()[:50])
    assert np.array_equal(chart(source).panels[0].density.counts, expected)


def test_an_index_over_its_budget_keeps_eights(tmp_path: Path) -> None:
    source = Recorded(tmp_path, {"w": walk(300, 2500)})
    index = pyramid(source, budget=100_000)
    assert 0 < len(index.whole) < 5 == len([one for one in index.files if one[0] == 0])
    found = chart(source)
    np.testing.assert_allclose(whole(found), 2500, rtol=1e-5)


def test_a_store_in_blocks_and_several_formats_is_the_same_as_arrays(tmp_path: Path) -> None:
    values = walk(90, 17_000)
    arrays = {"big": values, "half": values[:, :90].astype(np.float16), "wide": values[:, :70].astype(np.float64)}
    record(tmp_path, arrays)
    for quantity in ("value", "update"):
        stored = chart(TraceReader(tmp_path), quantity=quantity, each="tensor", columns=300)
        in_memory = chart(ArrayTraces(arrays), quantity=quantity, each="tensor", columns=300)
        for one, other in zip(stored.panels, in_memory.panels, strict=True):
            assert one.elements == other.elements
            np.testing.assert_allclose(one.density.counts, other.density.counts, atol=1e-3)


@pytest.mark.parametrize("few", [0, 2048], ids=["from the index", "from the values"])
@pytest.mark.parametrize("quantity", ["value", "update"])
def test_a_tensor_that_comes_later_is_there_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quantity: str, few: int
) -> None:
    monkeypatch.setattr("ontogeny.ask.chart.FEW", few)
    record(tmp_path, {"w": walk(30, 40)})
    record(tmp_path, {"w": walk(50, 40), "late": walk(50, 20)}, first=30)
    panels = chart(TraceReader(tmp_path), quantity=quantity, each="tensor", columns=79).panels
    for panel, elements in zip(panels, (40, 20), strict=True):
        assert panel.exact == bool(few) and panel.density.nonfinite.max() == 0
        sums = panel.density.counts.sum(0) + panel.density.below + panel.density.above
        np.testing.assert_allclose(sums[34:], elements, rtol=1e-4)
        np.testing.assert_allclose(sums[:28], elements if panel.name == "w" else 0, atol=1e-4)


def test_layers_and_lines() -> None:
    names = {"blocks.0.attn.weight": "blocks.0", "blocks.1.bias": "blocks.1", "embed.weight": "embed", "scale": "scale"}
    assert {name: layer_of(name) for name in names} == names
    arrays = {name: walk(30, 8, seed).reshape(30, 2, 4) for seed, name in enumerate(names)}
    found = og.chart(ArrayTraces(arrays), each="layer", lines=["embed.weight[1,2]"], quantity="update", steps="5:9")
    assert [panel.name for panel in found.panels] == list(names.values())
    (line,) = found.panels[2].lines
    assert line.steps.tolist() == [5, 6, 7, 8]
    assert np.array_equal(line.values, np.diff(arrays["embed.weight"][4:9, 1, 2].astype(np.float64)))


def test_what_there_is_not_is_said() -> None:
    traces = ArrayTraces({"embed.weight": walk(10, 6)})
    for words, said in (
        ({"tensors": ["embd.weight"]}, "did you mean 'embed.weight'"),
        ({"quantity": "speed"}, "choose value, update, z"),
        ({"each": "neuron"}, "tensor or layer"),
        ({"steps": "50:60"}, "no recorded step lies in the window 50:60"),
        ({"span": (1.0, 0.5)}, "the range 1:0.5 is empty"),
        ({"lines": ["embed.weight[9]"]}, "lies outside"),
    ):
        with pytest.raises(RecordError, match=said):
            chart(traces, **words)  # type: ignore[arg-type]


def test_curves_are_the_measures_that_change_and_reach_the_edges(tmp_path: Path) -> None:
    class Measured(Recorded):
        def metrics(self) -> dict[str, npt.NDArray[np.float64]]:
            step = np.arange(1.0, 30.0)
            return {
                "step": step,
                "norm": step * 2,
                "loss": 1 / step,
                "eps": np.where(step < 3, 1e-8, np.nan),
                "betas": np.ones((29, 2)),
            }

        def evaluations(self) -> list[dict[str, float]]:
            return [{"step": at, "loss": 2.0, "accuracy": at / 30} for at in (0.0, 10.0, 20.0)]

    found = chart(Measured(tmp_path, {"w": walk(30, 4)}), steps="12:19").curves
    kinds = [("loss", "training"), ("loss", "validation"), ("accuracy", "validation"), ("norm", "training")]
    assert [(curve.measure, curve.kind) for curve in found] == kinds
    assert found[0].steps.tolist() == list(range(11, 20)) and found[1].steps.tolist() == [10, 20]


def test_an_index_says_what_it_is_of(tmp_path: Path) -> None:
    pyramid(Recorded(tmp_path, {"w": walk(5, 3)}))
    (path,) = (tmp_path / "cache" / "chart-value").iterdir()
    head = path.read_bytes()
    size = int.from_bytes(head[:8], "little")
    said = json.loads(json.loads(head[8 : 8 + size])["__metadata__"]["about"])
    assert said["names"] == ["w", ALL_TENSORS] and said["single"]


def test_steps_that_are_far_apart_are_where_they_are() -> None:
    values = np.zeros((3, 1), np.float32)
    values[1] = 1.0

    class Sparse(ArrayTraces):
        def __init__(self) -> None:
            super().__init__({"w": values})
            self.steps = np.array([0, 10, 100])

        def passes(self, window: Window = Window(), names: object = None, piece_bytes: int = 0) -> object:  # type: ignore[override]  # noqa: B008
            rows = window.of(self.steps)
            inner = ArrayTraces({"w": values})
            for piece in inner.passes(Window(rows.start, rows.stop)):
                yield type(piece)(piece.tensor, piece.first, self.steps[piece.steps], piece.values)

    found = chart(Sparse(), columns=100, rows=10).panels[0].density
    peak = (found.counts * np.arange(10)[:, None]).sum(0)
    assert 9 <= peak.argmax() <= 10 and peak[55] == pytest.approx(peak[10] / 2, abs=1.0)
