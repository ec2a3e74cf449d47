"""A run that is killed, or refused, while its keyframes are thinned opens and goes on to the very same hash."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ontogeny.isa.errors import RecordError
from ontogeny.record.run import open_run
from tests.regression import begin

ROOT = Path(__file__).parents[2]
STEPS = 200
MOST = 5000
KILLED_AT_A_DROP = """
import os, signal, sys
from pathlib import Path
from tests.regression import begin

left, after = int(sys.argv[2]), sys.argv[3] == "after"
plain = Path.unlink

def unlink(self, missing_ok=False):
    global left
    left -= self.suffix == ".keyframe"
    if after:
        plain(self, missing_ok)
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if not after:
        plain(self, missing_ok)

run = begin(Path(sys.argv[1]), keyframe_every=2, keyframe_bytes=int(sys.argv[4]))
Path.unlink = unlink
run.advance(200)
"""
GOING_ON = """
import sys
from pathlib import Path
from ontogeny.record.run import open_run
from tests.regression import begin

path = Path(sys.argv[1])
made = (path / "journal.jsonl").exists()
run = open_run(path) if made else begin(path, keyframe_every=None, rewind_seconds=1e-6, keyframe_bytes=5000)
print("ready", flush=True)
run.advance(int(sys.argv[2]) - run.step)
"""


def child(code: str, *words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."})


def holds(folder: Path, straight: Path) -> None:
    """Every recorded state is the straight run's, and so is what the run goes on to."""
    with begin(straight) as expected, open_run(folder) as run:
        expected.advance(STEPS)
        for step in range(0, run.step + 1, 11):
            assert expected.hash(step) == run.hash(step)
            assert run.history.hasher.row(run.state(step)) == expected.history.hash_row(step)
        run.advance(STEPS - run.step)
        assert run.hash() == expected.hash()
        assert run.verify().ok
        assert sum(run.history.own.keyframes.sizes().values()) <= MOST
        assert not list((folder / "keyframes").glob(".*"))


@pytest.mark.parametrize(("drop", "when"), [(1, "before"), (1, "after"), (40, "before"), (41, "after")])
def test_killed_at_a_drop(tmp_path: Path, drop: int, when: str) -> None:
    process = child(KILLED_AT_A_DROP, tmp_path / "run", drop, when, MOST)
    assert process.wait(60) == -signal.SIGKILL
    assert process.stdout is not None
    process.stdout.close()
    assert len(open_run(tmp_path / "run").history.own.keyframes.steps()) >= 7
    holds(tmp_path / "run", tmp_path / "straight")


def test_what_a_killed_run_had_one_too_many_of_goes_when_it_is_written_to_again(tmp_path: Path) -> None:
    process = child(KILLED_AT_A_DROP, tmp_path / "run", 1, "before", MOST)
    process.communicate(timeout=60)
    with open_run(tmp_path / "run") as run:
        left = run.history.own.keyframes.sizes()
        assert MOST < sum(left.values()) <= MOST + max(left.values())
        run.advance(1)
        assert sum(run.history.own.keyframes.sizes().values()) <= MOST
        assert run.history.own.keyframes.steps()[-1] == run.step - 1


def test_killed_at_random_moments_with_the_spacing_measured(tmp_path: Path) -> None:
    chance = random.Random(2)
    for _ in range(3):
        process = child(GOING_ON, tmp_path / "run", 100_000)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(chance.random() * 0.08)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        process.stdout.close()
    reached = open_run(tmp_path / "run").step
    with open_run(tmp_path / "run") as run:
        run.advance(max(1, 50 - reached))
        assert run.verify().ok
        assert sum(run.history.own.keyframes.sizes().values()) <= MOST
    with begin(tmp_path / "straight") as straight:
        straight.advance(run.step)
        assert straight.hash() == run.hash()


def test_a_keyframe_that_cannot_be_dropped_stops_the_run_and_leaves_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Path.unlink

    def refused(self: Path, missing_ok: bool = False) -> None:
        if self.suffix == ".keyframe":
            raise PermissionError(13, "Permission denied")
        plain(self, missing_ok)

    run = begin(tmp_path / "run", keyframe_every=2, keyframe_bytes=MOST)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refused)
        with pytest.raises(RecordError, match=r"removing .*00000002.keyframe failed: Permission denied"):
            run.advance(STEPS)
    run.close()
    holds(tmp_path / "run", tmp_path / "straight")
