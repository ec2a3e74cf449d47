"""What `make venv` installs is there, so that no test which needs it is skipped unseen."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(
    Path(sys.prefix) != ROOT / ".venv", reason="another environment than the one that `make venv` makes"
)
def test_everything_that_make_venv_names_is_installed() -> None:
    (extras,) = re.findall(r"--editable '\.\[([\w,]+)\]'", (ROOT / "Makefile").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    assert set(optional) - set(extras.split(",")) == {"ray", "browser"}, "which `make test-slow` and `make browser` add"
    for asked in (*project["dependencies"], *(one for extra in extras.split(",") for one in optional[extra])):
        assert distribution(re.split(r"[<>=\[]", asked)[0]).version
