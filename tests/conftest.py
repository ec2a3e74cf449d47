"""How the tests share a machine: as many workers as its cores and memory bear, each with one thread and a numba cache.

`make test` asks for them (`-n auto`); without `-n` nothing here has any effect. What a worker starts has its settings.
The cache of compiled loops is a worker's own, since numba writes its index before what the index names, so that of two
processes that compile one function at the same time each may be given what the other is still writing.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

MOST = 8
"""Workers; each imports torch and collects all tests by itself, about 20 s of CPU."""
MEMORY = 4 << 30
"""Bytes that a worker and the processes of its tests may take together."""
CACHE = Path(__file__).parents[1] / ".pytest_cache" / "numba"

if (worker := os.environ.get("PYTEST_XDIST_WORKER")) is not None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE / worker))

# How long an example takes by the clock says nothing on a machine that others use; here and in CI alike.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(len(os.sched_getaffinity(0)), memory // MEMORY, MOST))
