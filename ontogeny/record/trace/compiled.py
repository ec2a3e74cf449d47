"""Whether the codec's inner loops run compiled: where numba is installed, once so much was done that loading it pays.

Both forms give the same bits. Importing numba and its compiled loops takes about half a second, and the very first time
compiling them some more; so short reads, and places where numba cannot be loaded, use NumPy.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

PAYS = 1 << 24
"""From how many values on, counted over the life of the process."""
_seen = 0


def kernels(values: int) -> Any:
    """The module of compiled loops, or None. `values` are about to be worked on."""
    global _seen
    _seen += values
    return _loaded() if _seen > PAYS else None


@cache
def _loaded() -> Any:
    """None where numba is not installed, is of no use here, or has nowhere to keep what it compiled."""
    if find_spec("numba") is None or os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return None
    try:
        return import_module("ontogeny.record.trace.kernels")
    except (ImportError, RuntimeError, OSError):
        return None
