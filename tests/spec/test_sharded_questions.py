"""A record in shards, asked by several workers, gives the answers of the whole."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ontogeny.ask.alike import alike
from ontogeny.ask.moments import moments
from ontogeny.ask.sharded import alike_of_shards, moments_of_shards
from ontogeny.ask.workers import Processes, RayWorkers, Workers
from ontogeny.isa.errors import RecordError
from ontogeny.isa.types import DType
from ontogeny.record.trace import Window
from ontogeny.record.trace.arrays import ArrayTraces
from ontogeny.record.trace.layout import Layout, Tensor
from ontogeny.record.trace.sharded import ShardedTraces, shard_folders
from ontogeny.record.trace.writer import TraceWriter
from ontogeny.record.trace.zarr_io import read, write

STEPS, ROWS, WIDTH = 50, 30, 8


class Here:
    """The tasks one after another in this process."""

    def map(self, function: Callable[[Any], Any], tasks: Any) -> list[Any]:
        return [function(task) for task in tasks]


def whole() -> dict[str, np.ndarray]:
    """Charts of which many are alike, some constant, some not finite."""
    rng = np.random.default_rng(5)
    shapes = np.cumsum(rng.standard_normal((STEPS, 4)), 0)
    drawn = shapes[:, rng.integers(0, 4, ROWS * WIDTH)] * rng.uniform(0.5, 2, ROWS * WIDTH)
    wide = (drawn + 0.3 * rng.standard_normal(drawn.shape)).astype(np.float32).reshape(STEPS, ROWS, WIDTH)
    wide[:, 3, 2], wide[20, 5, 5] = 1.0, np.nan
    return {"bias": shapes[:, :3].astype(np.float32), "wide": wide, "cut": np.ascontiguousarray(wide[:, :5])}


def record(folder: Path, extra: int = 0) -> list[str]:
    """Two stores: `wide` cut by rows at 11, `cut` by columns at 3, `bias` in both. The second has further steps."""
    arrays = whole()
    cuts = {
        "bias": [(slice(None),), (slice(None),)],
        "wide": [(slice(0, 11), slice(None)), (slice(11, ROWS), slice(None))],
        "cut": [(slice(None), slice(0, 3)), (slice(None), slice(3, WIDTH))],
    }
    for rank in range(2):
        parts = {name: array[(slice(None), *cuts[name][rank])] for name, array in arrays.items()}
        tensors = []
        for name, part in parts.items():
            start = tuple(cut.start or 0 for cut in cuts[name][rank])
            placed = (start, arrays[name].shape[1:]) if name != "bias" else ((), ())
            tensors.append(Tensor(name, DType.F32, part.shape[1:], *placed))
        layout = Layout(tuple(tensors))
        writer = TraceWriter(folder / f"rank-{rank:05d}", depth=16)
        for step in range(STEPS + extra * rank):
            row = bytearray(layout.row_bytes)
            for name, view in layout.views(row).items():
                view[...] = parts[name][min(step, STEPS - 1)]
            writer.append(layout, step, row)
        writer.close()
    return shard_folders(folder)


def check(places: list[str], workers: Workers) -> None:
    """The same moments, and the same elements with the same scores to the last bit."""
    source = ArrayTraces(whole())
    together = {one.tensor.name: one for one in moments(ShardedTraces(places), Window(4, 44))}
    for found, expected in zip(
        moments_of_shards(places, Window(4, 44), workers=workers), moments(source, Window(4, 44)), strict=True
    ):
        assert found.tensor == expected.tensor and found.updates.count == 40
        for over in ("values", "updates"):
            mine, theirs = (one.of(over).vector() for one in (found, expected))
            np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-9, equal_nan=True)
            assert np.array_equal(mine, together[found.tensor.name].of(over).vector(), equal_nan=True)
    for query, either in (("wide[20,1]", False), ("bias[2]", True)):
        found = alike_of_shards(places, query, 0.8, over="values", either_sign=either, workers=workers)
        expected = alike(source, query, 0.8, over="values", either_sign=either)
        assert len(expected) > 10
        assert np.array_equal(found.elements, expected.elements) and np.array_equal(found.scores, expected.scores)
        assert found.matches(5) == expected.matches(5) and found.query == expected.query
        assert found.proof.whole and found.proof.elements == expected.proof.elements
        assert (found.proof.constant, found.proof.not_finite) == (expected.proof.constant, expected.proof.not_finite)


def test_shards_one_after_another_give_the_whole(tmp_path: Path) -> None:
    places = record(tmp_path)
    check(places, Here())
    assert all((Path(place) / "cache" / "shapes").is_dir() for place in places)
    check(places, Here())


def test_processes_give_the_whole(tmp_path: Path) -> None:
    check(record(tmp_path), Processes(2))


@pytest.mark.slow
def test_ray_gives_the_whole(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="`make test-slow` installs Ray")
    places = record(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
        ray.init(num_cpus=2, _node_ip_address="127.0.0.1", **quiet)
        try:
            check(places, RayWorkers(2))
            with pytest.raises(RecordError, match="no recorded step"):
                moments_of_shards(places, Window(90, 99), workers=RayWorkers(2))
        finally:
            ray.shutdown()


def test_steps_that_only_some_have_are_left_out(tmp_path: Path) -> None:
    places = record(tmp_path, extra=7)
    expected = moments(ArrayTraces(whole()))
    for found, other in zip(moments_of_shards(places, workers=Here()), expected, strict=True):
        assert found.values.count == other.values.count == STEPS
        np.testing.assert_allclose(found.values.mean, other.values.mean, rtol=1e-12, equal_nan=True)
    found = alike_of_shards(places, "wide[20,1]", 0.8, workers=Here())
    assert np.array_equal(found.elements, alike(ArrayTraces(whole()), "wide[20,1]", 0.8).elements)


def test_a_part_of_the_tensors_alone(tmp_path: Path) -> None:
    found = moments_of_shards(record(tmp_path), names=["cut"], workers=Here())
    assert [one.tensor.name for one in found] == ["cut"]


def test_what_cannot_be_asked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = record(tmp_path)
    for query, said in (("wide[3,2]", "has no shape"), ("wider[3,2]", "did you mean"), ("wide[99,0]", "outside")):
        with pytest.raises(RecordError, match=said):
            alike_of_shards(places, query, 0.8, workers=Here())
    with pytest.raises(RecordError, match="above 0"):
        alike_of_shards(places, "wide[0,0]", 1.5, workers=Here())
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RecordError, match=r"ontogeny\[ray\]"):
        moments_of_shards(places, workers=RayWorkers())


def test_shards_are_written_as_whole_arrays(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    places = record(tmp_path, extra=3)
    write(ShardedTraces(places), tmp_path / "out.zarr")
    found = read(tmp_path / "out.zarr")
    assert found.steps.tolist() == list(range(STEPS))
    for name, array in whole().items():
        for piece in found.pieces(names=[name]):
            lanes = slice(piece.first, piece.first + piece.values.shape[1])
            assert np.array_equal(piece.values, array.reshape(STEPS, -1)[:, lanes], equal_nan=True)
        assert np.array_equal(found.row(7)[name], array[7], equal_nan=True)
