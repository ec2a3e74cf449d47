"""A run that is killed at any moment is opened again and goes on to the very same hash."""

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
STEPS = 1500


def process(folder: Path, steps: int = STEPS) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.regression", str(folder), str(steps)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."})


def expected_hash(folder: Path, steps: int) -> str:
    with begin(folder) as run:
        run.advance(20)
        run.set_dial("lr", 0.02)
        run.advance(steps - 20)
        return run.hash()


def kill_often(tmp_path: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "run"
    for _ in range(kills):
        child = process(folder)
        assert child.stdout is not None
        if chance.random() < 0.75:
            assert child.stdout.readline() == "ready\n"
            time.sleep(chance.random() * 0.5)
        else:
            time.sleep(0.2 + chance.random() * 0.6)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    child = process(folder)
    out, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    assert out.split()[-1] == expected_hash(tmp_path / "straight", STEPS)
    run = open_run(folder)
    assert run.step == STEPS
    assert [(e.kind, e.at) for e in run.entries] == [("start", 0), ("dial", 20)]
    assert len(run.evaluations()) == STEPS // 5 + 1
    assert run.verify().ok


def test_killed_four_times(tmp_path: Path) -> None:
    kill_often(tmp_path, 4, 1)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(5))
def test_killed_ten_times_at_random_moments(tmp_path: Path, seed: int) -> None:
    kill_often(tmp_path, 10, seed)


def test_a_child_process_is_interrupted_and_the_run_goes_on(tmp_path: Path) -> None:
    child = process(tmp_path / "run", 100_000)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    while open_run(tmp_path / "run").step <= 20:
        time.sleep(0.05)
    with pytest.raises(RecordError, match=f"process {child.pid}"):
        open_run(tmp_path / "run").set_dial("lr", 1.0)
    child.send_signal(signal.SIGINT)
    child.wait()
    child.stdout.close()
    with open_run(tmp_path / "run") as run:
        step = run.step
        assert step > 20
        run.advance(3)
        assert run.hash() == expected_hash(tmp_path / "straight", step + 3)
