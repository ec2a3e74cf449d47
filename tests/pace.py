"""CPU seconds as an idle machine would take them, so that a limit of time holds on a slow or a busy one as well."""

from __future__ import annotations

import time
from collections.abc import Callable

USUAL = 0.0025
"""CPU seconds of `_yardstick` where the limits in the tests were set: an idle core of 2.4 GHz."""


def paced(work: Callable[[], object], times: int = 1) -> float:
    """What `work` takes at its best of so many times, divided by how much slower than usual this machine is."""
    return min(_once(work) for _ in range(times))


def _once(work: Callable[[], object]) -> float:
    before = _yardstick()
    began = time.process_time()
    work()
    took = time.process_time() - began
    return took / max(1.0, min(before, _yardstick()) / USUAL)


def _yardstick() -> float:
    """CPU seconds of some work that is always the same: small objects made and dropped in plain Python."""
    began = time.process_time()
    held: dict[int, tuple[int, object]] = {}
    for i in range(20_000):
        held[i & 1023] = (i, held.get(i >> 3 & 1023, (0, None))[0])
    return time.process_time() - began
