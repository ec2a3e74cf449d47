"""A run that went on has its index added to: only the new steps are read, and the answer is a new index's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ontogeny.ask import index_cache
from ontogeny.ask.alike import Alike, alike
from ontogeny.ask.series import UPDATES, VALUES
from ontogeny.record.recorded import Recorded
from ontogeny.record.trace import TraceReader, Window
from ontogeny.record.trajectories import Replayed
from tests.regression import begin

Read = list[tuple[int, int]]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """The first and last of the steps that pieces were read of, each time."""
    found: Read = []

    def watched(of: type) -> None:
        pieces = of.pieces

        def watching(self: Any, window: Window, *args: Any) -> Any:
            steps = self.steps[window.of(self.steps)]
            found.append((int(steps[0]), int(steps[-1])))
            return pieces(self, window, *args)

        monkeypatch.setattr(of, "pieces", watching)

    watched(Replayed)
    return found


def same(found: Alike, other: Alike) -> bool:
    """Whether two answers are one, to the last bit."""
    assert found.proof.whole and other.proof.whole
    return (
        found.elements.tolist() == other.elements.tolist()
        and found.scores.tolist() == other.scores.tolist()
        and found.steps == other.steps
    )


def folders(run: Path) -> list[str]:
    """The indexes of a run."""
    return sorted(path.name for path in (run / "cache" / "shapes").iterdir())


@pytest.mark.parametrize("over", [UPDATES, VALUES])
def test_a_native_run_that_went_on_has_only_its_new_steps_read(tmp_path: Path, read: Read, over: str) -> None:
    with begin(tmp_path / "run") as run:
        for steps, known in ((40, (0, 40)), (25, (41, 65)), (1, (66, 66))):
            run.advance(steps)
            found = alike(run, "w[0,0]", 0.1, over=over)
            before = known[0] - (over == UPDATES and known[0] > 0)
            assert read == [(before, known[1])]
            assert folders(tmp_path / "run") == [f"{over}-{int(over == UPDATES)}-{run.step}"]
            read.clear()
        assert len(found)
        shutil.rmtree(tmp_path / "run" / "cache" / "shapes")
        assert same(found, alike(run, "w[0,0]", 0.1, over=over))
        assert len(read) == 1 and read[0][0] == 0


def test_a_window_that_did_not_go_to_the_end_stays(tmp_path: Path, read: Read) -> None:
    with begin(tmp_path / "run") as run:
        run.advance(40)
        for stop in (20, 30):
            alike(run, "w[0,0]", 0.1, window=Window(5, stop))
        assert read == [(4, 19), (19, 29)]
        assert folders(tmp_path / "run") == ["updates-5-19", "updates-5-29"]
        alike(run, "w[0,0]", 0.1, window=Window(6, 32))
        assert read[-1] == (5, 31)


def test_an_index_of_what_no_longer_is_is_not_added_to(tmp_path: Path, read: Read) -> None:
    with begin(tmp_path / "run") as run, begin(tmp_path / "other", seed=2) as other:
        run.advance(20)
        alike(run, "w[0,0]", 0.1)
        other.advance(30)
        shutil.copytree(tmp_path / "run" / "cache" / "shapes", tmp_path / "other" / "cache" / "shapes")
        found = alike(other, "w[0,0]", 0.1)
        assert read[-1] == (0, 30)
        shutil.rmtree(tmp_path / "other" / "cache" / "shapes")
        assert same(found, alike(other, "w[0,0]", 0.1))


KILLED = """
import os, signal, sys
from pathlib import Path
from ontogeny.ask import shape_build, shape_update
from ontogeny.ask.alike import alike
from ontogeny.record.recorded import Recorded

def killed(*args):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "late":
    shape_build.leaves_of = killed
else:
    shape_update.added = killed
alike(Recorded(Path(sys.argv[1])), "w[0,0]", 0.1)
"""


@pytest.mark.parametrize("when", ["early", "late"])
def test_killed_while_steps_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Read, when: str) -> None:
    with begin(tmp_path / "run") as run:
        run.advance(20)
        first = alike(run, "w[0,0]", 0.1)
        run.advance(10)
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "run"), when], env={**os.environ}, timeout=120)
    assert done.returncode == -signal.SIGKILL
    kept = tmp_path / "run" / "cache" / "shapes"
    assert [name for name in folders(tmp_path / "run") if not name.startswith(".")] == ["updates-1-20"]
    assert len(list(kept.glob(".making-*"))) == 1
    run = Recorded(tmp_path / "run")
    read.clear()
    assert same(alike(run, "w[0,0]", 0.1, window=Window(0, 21)), first) and not read
    monkeypatch.setattr(index_cache, "ABANDONED", 0.0)
    found = alike(run, "w[0,0]", 0.1)
    assert read == [(20, 30)] and folders(tmp_path / "run") == ["updates-1-30"]
    shutil.rmtree(kept)
    assert same(found, alike(run, "w[0,0]", 0.1))


def test_a_damaged_index_is_made_anew(tmp_path: Path, read: Read) -> None:
    with begin(tmp_path / "run") as run:
        run.advance(20)
        alike(run, "w[0,0]", 0.1)
        (tmp_path / "run" / "cache" / "shapes" / "updates-1-20" / "lanes.npy").write_bytes(b"")
        index_cache._opened.cache_clear()
        run.advance(10)
        assert len(alike(run, "w[0,0]", 0.1)) and read[-1] == (0, 30)


def test_a_recorded_loop_that_went_on_has_only_its_new_steps_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    import ontogeny as og
    from tests.spec.test_attach import batches, learn, network

    read: Read = []
    pieces = TraceReader.pieces
    monkeypatch.setattr(
        TraceReader, "pieces", lambda self, w, *a: read.append((w.start, w.stop - 1)) or pieces(self, w, *a)
    )
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for number in range(3):
        with og.attach(model, optimizer, tmp_path / "run", resume=number > 0) as run:
            for batch in batches(70):
                learn(model, optimizer, batch)
                run.step()
        found = alike(og.Attached(tmp_path / "run"), "0.weight[2,5]", 0.1)
        assert read == [(70 * number, 70 * number + 70)]
        read.clear()
    assert folders(tmp_path / "run") == ["updates-1-210"] and len(found)
    shutil.rmtree(tmp_path / "run" / "cache")
    assert same(found, alike(og.Attached(tmp_path / "run"), "0.weight[2,5]", 0.1))
