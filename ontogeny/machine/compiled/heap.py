"""Keeping freed memory with the process between steps, where the C library is glibc.

A step frees what it used at its end, and glibc then gives the top of its heap back to the system, to ask for it again
at the next step: 800 page faults a step on a small GPT, 5% of its time. Two settings of the C library, which hold for
the whole process, end that: at most KEPT bytes of freed memory stay with it. ONTOGENY_KEEP_HEAP=0 leaves them alone.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
KEPT = 256 << 20
LARGEST = 32 << 20
"""Blocks up to this size come from the heap, and larger ones from the system each time: glibc allows no more."""


@cache
def keep_heap() -> bool:
    """Makes the settings, once; whether they were made."""
    if not sys.platform.startswith("linux") or os.environ.get("ONTOGENY_KEEP_HEAP") == "0":
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False  # another C library, which does otherwise
    return bool(mallopt(MMAP_THRESHOLD, LARGEST) and mallopt(TRIM_THRESHOLD, KEPT))
