"""Compiled loops are kept on the disk, and are made again where anything that they took from another file changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ontogeny.machine.kernel_cache import sources, stamp

PACKAGE = {
    "__init__.py": "",
    "deep/__init__.py": "",
    "deep/constants.py": "FACTOR = 3\n",
    "inner.py": """
from loops.deep import constants as held
import numba

@numba.njit(inline="always")
def scaled(x):
    return x * held.FACTOR
""",
    "outer.py": """
import sys

import numpy as np

from loops.inner import (
    scaled,
)
from ontogeny.machine.kernel_cache import compiled

@compiled
def total(x):
    found = 0
    for item in x:
        found += scaled(item)
    return found
""",
    "apart.py": """
from ontogeny.machine.kernel_cache import compiled

@compiled
def first(x):
    return x[0]
""",
}
ASKED = """
import json, numpy as np
from loops.apart import first
from loops.outer import total
found = int(total(np.arange(5)) + first(np.arange(5)))
print(json.dumps([found, *(sum(loop.stats.cache_hits.values()) for loop in (total, first))]))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of loops, one of which takes a function and a constant from other files."""
    for name, text in PACKAGE.items():
        path = tmp_path / "loops" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path / "loops"


def asked(package: Path) -> list[int]:
    """What the loops give in a process of its own, and how often each was read from the disk."""
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    done = subprocess.run([sys.executable, "-c", ASKED], env=environment, capture_output=True, text=True, check=True)
    found: list[int] = json.loads(done.stdout)
    return found


def test_a_loop_is_made_again_where_what_it_took_from_another_file_has_changed_and_no_other_is(package: Path) -> None:
    assert asked(package) == [30, 0, 0]
    (package / "deep/constants.py").write_text("FACTOR = 4\n")
    assert asked(package) == [40, 0, 1]


def test_the_sources_of_a_file_are_those_that_its_imports_lead_to(package: Path) -> None:
    found = [path.relative_to(package).as_posix() for path in sources(package / "outer.py")]
    assert found == ["deep/constants.py", "inner.py", "outer.py"]
    assert stamp(str(package / "nothing.py")) == ""
    tapes = Path(__file__).parents[2] / "ontogeny/evolve/tapes/kernels.py"
    names = {path.name for path in sources(tapes)}
    assert {"learners_codes.py", "learners_lanes.py", "learners_scoring.py", "vectors.py"} <= names
    assert not names & {"search.py", "method.py", "learners_operations.py"}  # or every change would compile it anew


def test_every_loop_of_the_package_is_kept_so() -> None:
    folder = Path(__file__).parents[2] / "ontogeny"
    kept = [
        path.name for path in folder.rglob("*.py") if "njit(" in path.read_text() or "cache=True" in path.read_text()
    ]
    assert kept == ["kernel_cache.py"]
