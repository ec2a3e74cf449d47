"""Processes that train one model together, for tests that need several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def launched(module: str, count: int, folder: Path, *words: str, killed: bool = False) -> list[str]:
    """Runs a module once for each rank, with its words, rank, count and folder; gives what each has printed.

    One that is killed takes the others with it.
    """
    (folder / "meeting").unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": ".", "OMP_NUM_THREADS": "1"}
    children = [
        subprocess.Popen(
            [sys.executable, "-m", module, *words, str(rank), str(count), str(folder)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    try:
        ended = [child.communicate(timeout=200) for child in children]
    finally:
        for child in children:
            child.kill()
    codes = [child.returncode for child in children]
    said = "\n".join(err for _, err in ended)
    assert all(codes) if killed else codes == [0] * count, said
    return [out for out, _ in ended]
