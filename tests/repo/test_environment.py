"""Every environment variable that is heeded stands in one table, which the README and `ontogeny --help` show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ontogeny.faces.cli import app
from ontogeny.faces.environment import VARIABLES

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"\bONTOGENY_[A-Z_]+\b|environ(?:\.get\(|\[)[\"'](\w+)[\"']")


def test_no_variable_is_heeded_that_is_not_in_the_table() -> None:
    files = (ROOT / "ontogeny").rglob("*.py")
    heeded = {match[1] or match[0] for file in files for match in NAMED.finditer(file.read_text(encoding="utf-8"))}
    assert heeded <= set(VARIABLES), f"not in faces/environment.py: {heeded - set(VARIABLES)}"
    assert {name for name in VARIABLES if name.startswith("ONTOGENY_")} <= heeded


def test_the_readme_and_the_help_show_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    readme, shown = (ROOT / "README.md").read_text(encoding="utf-8"), CliRunner().invoke(app, ["--help"]).output
    for name, meaning in VARIABLES.items():
        assert f"| `{name}` | {meaning} |" in readme
        assert f"{name}: {meaning}." in shown
