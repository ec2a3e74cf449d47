"""An autopilot that is killed in the middle: the same again comes to the end that it would have come to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import ontogeny as og
from ontogeny.record.run import open_run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.autopilot.flight import fly
from ontogeny.steer.session import Session
from tests.regression import begin

ASKED = ("--budget", "200", "--steps", "100")


def arguments(folder: Path) -> list[str]:
    return [sys.executable, "-m", "ontogeny", "autopilot", str(folder), *ASKED]


def test_a_kill_costs_nothing_but_the_leg_that_it_fell_into(tmp_path: Path) -> None:
    for name in ("whole", "parts"):
        begin(tmp_path / name / "one").close()
    whole = fly(Session(RunsFolder(tmp_path / "whole"), "one"), "one", budget="200", steps=100)
    for lines in (5, 14):
        with subprocess.Popen(arguments(tmp_path / "parts" / "one"), stderr=subprocess.PIPE, text=True) as child:
            assert child.stderr is not None
            said = [child.stderr.readline() for _ in range(lines)]
            child.kill()
        assert "looks after" in said[0] or lines > 5
    done = subprocess.run(
        [*arguments(tmp_path / "parts" / "one"), "--json"], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)["figures"]
    assert (found["kept"], found["step"], found["steps"]) == (whole.kept, whole.step, whole.steps)
    assert found["changes"] == list(whole.changes)
    one, other = (open_run(tmp_path / part / name) for part, name in (("whole", whole.run), ("parts", found["run"])))
    assert one.hash() == other.hash()
    assert isinstance(other, og.Run) and other.verify().ok
