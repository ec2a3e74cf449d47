"""Where a test of the shell stands: in a folder of its own, as wide as no table breaks, with no other runs named."""

from __future__ import annotations

from pathlib import Path

import pytest


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a folder the working one, whose `runs` are the runs that there are."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("ONTOGENY_RUNS", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
