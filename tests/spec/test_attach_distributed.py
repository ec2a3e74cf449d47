"""A model over several processes is recorded whole: copies by the first of them, shards by each its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ontogeny as og
from ontogeny.record.trace.traces import Window
from tests.launched import launched

MANY = pytest.param(4, marks=pytest.mark.slow)


def trained(folder: Path, kind: str, count: int, steps: int = 70, killed_at: int = 0) -> list[str]:
    """Runs all processes; gives what each has printed. One that is killed takes the others with it."""
    words = (kind, str(steps), str(killed_at))
    return launched("tests.distributed_loop", count, folder, *words, killed=bool(killed_at))


def same(found: og.Attached, seen: dict[str, np.ndarray], steps: int) -> None:
    """Rows, pieces, passes and lines of whole tensors are those that the processes had together."""
    traces = found.traces
    assert traces.steps.tolist() == list(range(steps + 1))
    assert set(traces.tensors) == set(seen)
    for step in (0, 1, steps // 2, steps):
        row = traces.row(step)
        assert all(row[name].tobytes() == rows[step].tobytes() for name, rows in seen.items()), step
    for walk in (traces.pieces, traces.passes):
        values = {name: np.full((steps + 1, rows[0].size), np.nan, np.float32) for name, rows in seen.items()}
        for piece in walk(piece_bytes=1 << 12):
            values[piece.tensor.name][piece.steps, piece.first : piece.first + piece.values.shape[1]] = piece.values
        for name, rows in seen.items():
            assert values[name].tobytes() == rows[: steps + 1].tobytes(), name
    for name, rows in seen.items():
        places = np.arange(rows[0].size)[::-2]
        at, values_of = traces.lines(name, places, Window(3, steps))
        assert at.tolist() == list(range(3, steps))
        assert values_of.tobytes() == rows[3:steps].reshape(steps - 3, -1)[:, places].tobytes()


def seen_by(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "seen.npz") as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize("count", [2, MANY])
def test_of_copies_the_first_process_records(tmp_path: Path, count: int) -> None:
    trained(tmp_path, "ddp", count)
    found = og.Attached(tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "journal.jsonl",
        "lock",
        "metrics.jsonl",
        "trace",
    ]
    same(found, seen_by(tmp_path), 70)


@pytest.mark.parametrize("count", [2, MANY])
def test_shards_are_recorded_by_each_process_and_read_whole(tmp_path: Path, count: int) -> None:
    trained(tmp_path, "fsdp", count)
    found = og.Attached(tmp_path / "run")
    assert len(list((tmp_path / "run" / "trace").glob("rank-*"))) == count
    same(found, seen_by(tmp_path), 70)
    assert len(found.metrics()["loss"]) == 71


@pytest.mark.parametrize("count", [2, MANY])
def test_when_one_process_is_killed_what_all_have_recorded_is_read_whole(tmp_path: Path, count: int) -> None:
    trained(tmp_path, "fsdp", count, killed_at=67)
    found = og.Attached(tmp_path / "run")
    reached = found.step
    assert 60 <= reached <= 67
    seen = {name: rows[: reached + 1] for name, rows in seen_by(tmp_path).items()}
    assert all(len(rows) == reached + 1 for rows in seen.values())
    same(found, seen, reached)


def test_processes_go_on_together_from_the_last_step_that_any_has(tmp_path: Path) -> None:
    trained(tmp_path, "fsdp", 2, killed_at=30)
    begun = trained(tmp_path, "resumed", 2, steps=5)
    assert len(set(begun)) == 1
    first = int(begun[0].split()[-1])
    assert 28 <= first <= 30
    found = og.Attached(tmp_path / "run")
    assert found.traces.steps.tolist()[-5:] == list(range(first + 1, first + 6))
    seen = seen_by(tmp_path)
    for step in range(1, 6):
        row = found.traces.row(first + step)
        assert all(row[name].tobytes() == rows[step].tobytes() for name, rows in seen.items())


def test_a_folder_that_is_taken_is_said_by_every_process(tmp_path: Path) -> None:
    trained(tmp_path, "fsdp", 2, steps=3)
    with pytest.raises(AssertionError) as failed:
        trained(tmp_path, "fsdp", 2, steps=3)
    assert "holds a run already; name another folder" in str(failed.value)
    assert "rank-00001 holds trajectories already" in str(failed.value)
    assert og.Attached(tmp_path / "run").traces.steps.tolist() == [0, 1, 2, 3]
