"""A native run's trajectories are its states, however they are asked for, and whatever the cache holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ontogeny.isa.errors import RecordError
from ontogeny.record.run import Run
from ontogeny.record.stepper import Stepper
from ontogeny.record.trace import Window, block
from ontogeny.record.trace.storage import Storage
from ontogeny.record.trajectories import Replayed
from tests.regression import begin


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with begin(tmp_path / "run") as made:
        made.advance(150)
        yield made


def expected(run: Run, name: str) -> np.ndarray:
    """A parameter at every step, state by state: [steps, ...]."""
    decl = run.program.decl(name)
    states = [run.state(step)[decl.arena or name].reshape(-1) for step in range(run.step + 1)]
    return np.stack([s[decl.offset : decl.offset + decl.type.size].reshape(decl.type.shape) for s in states])


def test_pieces_and_passes_are_the_states(run: Run) -> None:
    for name in run.traces.tensors:
        wanted = expected(run, name).reshape(151, -1)
        for walk in (run.traces.pieces, run.traces.passes):
            found = np.full_like(wanted, np.nan)
            for piece in walk(Window(3, 140), [name]):
                found[piece.steps, piece.first : piece.first + piece.values.shape[1]] = piece.values
            assert np.array_equal(found[3:140], wanted[3:140])
            assert np.isnan(found[:3]).all()


def test_a_trajectory_is_indexed_like_an_array_with_time_last(run: Run) -> None:
    name, tensor = max(run.traces.tensors.items(), key=lambda item: len(item[1].shape))
    view = run.trajectory(name)
    whole = np.moveaxis(expected(run, name), 0, -1)
    assert view.shape == whole.shape
    for index in ((0,), (0, ..., 5), (..., slice(10, 90, 7)), (slice(None), ..., -1), (..., slice(4, 2))):
        assert np.array_equal(view[index], whole[index]), index
    assert np.array_equal(np.asarray(view), whole)
    with pytest.raises(RecordError, match="axes"):
        view[(0,) * (len(tensor.shape) + 2)]
    with pytest.raises(RecordError, match="did you mean"):
        run.trajectory(name + "x")


def test_the_cache_can_be_lost_and_grows_with_the_run(run: Run) -> None:
    name = next(iter(run.traces.tensors))
    before = run.trajectory(name)[...]
    shutil.rmtree(run.folder / "cache")
    assert np.array_equal(run.trajectory(name)[...], before)
    run.advance(30)
    assert np.array_equal(run.trajectory(name)[..., :151], before)
    assert np.array_equal(run.trajectory(name)[..., 180], np.asarray(run.traces.row(180)[name]))


def test_a_block_is_opened_once_and_again_when_it_has_become_another(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    plain = block.opened

    def counted(storage: Storage, name: str, size: int) -> block.Block:
        opened.append(name)
        return plain(storage, name, size)

    monkeypatch.setattr(block, "opened", counted)
    name = next(iter(run.traces.tensors))
    first = run.traces.lines(name, [0])[1]
    assert len(opened) == 3
    assert np.array_equal(run.traces.lines(name, [0], Window(70, 80))[1], first[70:80])
    assert len(opened) == 3
    run.advance(10)
    assert np.array_equal(run.traces.lines(name, [0])[1], expected(run, name).reshape(161, -1)[:, :1])
    assert len(opened) == 4
    assert opened[2] != opened[3] and opened[2].startswith(f"{128:012d}") and opened[3].startswith(f"{128:012d}")
    assert len(run.traces._opened) == 3
    shutil.rmtree(run.folder / "cache")
    assert np.array_equal(run.traces.lines(name, [0], Window(0, 64))[1], first[:64])
    assert len(run.traces._opened) == 1


def test_blocks_that_were_not_asked_for_longest_go_first(run: Run) -> None:
    small = Replayed(run, budget=1000)
    small.row(0)
    list(small.passes(Window(0, 150)))
    names = [name for name in small.storage.names() if name.endswith(".block")]
    assert len(names) == 1
    assert names[0].startswith(f"{128:012d}")
    with pytest.raises(RecordError, match="narrow the window"):
        list(Replayed(run, budget=10).pieces())


@pytest.mark.parametrize("walk", ["pieces", "passes"])
def test_a_step_is_replayed_once_however_far_apart_keyframes_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, walk: str
) -> None:
    taken: list[int] = []
    take = Stepper.take
    with begin(tmp_path / "far", keyframe_every=1000) as far:
        far.advance(200)
        monkeypatch.setattr(Stepper, "take", lambda self, m, step: taken.append(step) or take(self, m, step))
        list(getattr(far.traces, walk)())
    assert taken == list(range(200))
