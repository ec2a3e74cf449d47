"""Killed while forking by another program, or while such a fork goes on: a run or none, and the same one afterwards."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ontogeny.isa.errors import RecordError
from ontogeny.isa.text import from_text
from ontogeny.record.run import open_run
from tests.regression import SPEEDY, begin

ROOT = Path(__file__).parents[2]
KILLED_AT_EACH_CALL = """
import os, signal, sys
from pathlib import Path
import numpy as np
from ontogeny.isa.text import from_text
from tests.regression import SPEEDY, begin

folder, left = Path(sys.argv[1]), 0

def deadly(plain):
    def call(*args, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(*args, **named)
    return call

with begin(folder / "parent") as parent:
    parent.advance(10)
    program, values = from_text(SPEEDY), {"speed": np.ones((3, 1), np.float32)}
    for number in range(1, 200):
        pid = os.fork()
        if not pid:
            left = number
            for name in ("open", "pwrite", "fsync", "replace", "unlink", "mkdir", "ftruncate"):
                setattr(os, name, deadly(getattr(os, name)))
            parent.fork(10, folder / f"fork{number}", program=program, values=values)
            os._exit(0)
        if os.waitpid(pid, 0)[1] == 0:
            break
"""
GOING_ON = """
import sys
from pathlib import Path
from ontogeny.isa.errors import RecordError
from ontogeny.isa.text import from_text
from ontogeny.record.run import open_run
from tests.regression import SPEEDY, begin

folder = Path(sys.argv[1])
try:
    parent = open_run(folder / "parent")
except RecordError:
    parent = begin(folder / "parent")
with parent:
    parent.advance(10 - parent.step)
try:
    run = open_run(folder / "fork")
except RecordError:
    run = parent.fork(10, folder / "fork", program=from_text(SPEEDY))
print("ready", flush=True)
run.advance(int(sys.argv[2]) - run.step)
run.close()
print(run.hash(), flush=True)
"""


def child(code: str, *words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."})


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A parent at step 10, and what forks were left that were killed at their first call to the disk, second..."""
    folder = tmp_path_factory.mktemp("killed")
    process = child(KILLED_AT_EACH_CALL, folder)
    process.communicate(timeout=120)
    assert process.returncode == 0
    return folder


def test_killed_at_each_call_to_the_disk_of_such_a_fork(killed: Path, tmp_path: Path) -> None:
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    program, values = from_text(SPEEDY), {"speed": np.ones((3, 1), np.float32)}
    parent = open_run(tmp_path / "parent")
    assert parent.step == 10 and parent.verify().ok
    expected = parent.fork(10, tmp_path / "expected", program=program, values=values)
    expected.advance(3)
    folders = sorted(tmp_path.glob("fork*"))
    assert len(folders) > 15
    begun = 0
    for folder in folders:
        try:
            run = open_run(folder)
            begun += 1
        except RecordError:
            run = parent.fork(10, folder, program=program, values=values)
        with run:
            run.advance(3)
            assert run.hash() == expected.hash() and run.verify().ok
            assert not list((folder / "keyframes").glob(".*"))
    assert 0 < begun < len(folders)


def test_a_folder_that_a_killed_fork_left_can_be_forked_into_at_any_step(killed: Path, tmp_path: Path) -> None:
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    parent = open_run(tmp_path / "parent")
    left = [folder for folder in sorted(tmp_path.glob("fork*")) if not (folder / "journal.jsonl").exists()]
    assert any(list(folder.glob("keyframes/*.keyframe")) for folder in left)
    for folder in left:
        with parent.fork(4, folder) as plain:
            plain.advance(8)
            assert plain.verify().ok and plain.program == parent.program
            assert plain.hash(10) == parent.hash(10)


@pytest.mark.timeout(180)
def test_killed_at_random_moments_while_it_goes_on(tmp_path: Path) -> None:
    chance, steps = random.Random(5), 600
    for _ in range(4):
        process = child(GOING_ON, tmp_path / "run", steps)
        assert process.stdout is not None
        if chance.random() < 0.7:
            assert process.stdout.readline() == "ready\n"
            time.sleep(chance.random() * 0.3)
        else:
            time.sleep(0.3 + chance.random() * 0.4)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        process.stdout.close()
    out, _ = child(GOING_ON, tmp_path / "run", steps).communicate(timeout=120)
    with begin(tmp_path / "straight") as parent:
        parent.advance(10)
        straight = parent.fork(10, tmp_path / "expected", program=from_text(SPEEDY))
        straight.advance(steps - 10)
    assert out.split()[-1] == straight.hash()
    run = open_run(tmp_path / "run" / "fork")
    assert run.step == steps and run.verify().ok
    assert run.metrics()["step"].tolist() == list(range(1, steps + 1))
