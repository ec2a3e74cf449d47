"""Portable runs in processes with different thread counts: proved without a word, gone on with, and with one hash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FILE = str(Path(__file__).parent / "threaded.py")
SHELL = str(Path(sys.executable).parent / "ontogeny")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def shell(runs: Path, threads: int, *words: str) -> tuple[Any, str]:
    """The JSON that a command printed, and what it said beside it, in a process with so many threads."""
    setting = {**os.environ, "OMP_NUM_THREADS": str(threads), "ONTOGENY_RUNS": str(runs)}
    command = [SHELL, *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=setting, cwd=runs.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout), done.stderr


def test_a_portable_run_is_proved_and_goes_on_with_another_thread_count(runs: Path) -> None:
    shell(runs, 1, "run", FILE, "--name", "one", "--mode", "portable", "--steps", "6")
    report, said = shell(runs, 2, "verify", "one")
    assert report["ok"] and "thread" not in said and "elsewhere" not in said
    gone_on, said = shell(runs, 2, "resume", "one", "--steps", "4")
    assert "elsewhere" not in said
    made, _ = shell(runs, 3, "run", FILE, "--name", "three", "--mode", "portable", "--steps", "10")
    assert (made["step"], made["hash"]) == (gone_on["step"], gone_on["hash"])
    journal = [json.loads(line) for line in (runs / "one" / "journal.jsonl").read_text().splitlines()]
    assert "session" not in {entry["kind"] for entry in journal}
