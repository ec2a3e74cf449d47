"""Where two runs part: the first step whose recorded hashes differ.

What both have from one and the same folder, as forks have it from their parent, is not read; the rest is compared in
blocks of steps.
"""

from __future__ import annotations

from itertools import takewhile

import numpy as np
import numpy.typing as npt

from ontogeny.record.history import History
from ontogeny.record.lineage import Section

BLOCK = 1 << 16
"""Steps compared at a time."""
Hashes = npt.NDArray[np.uint64]


def parting(one: History, other: History) -> int | None:
    """The first step at which two histories' states differ, or None where all that both have are equal."""
    if (one.hash_row(0) or b"")[:8] != (other.hash_row(0) or b"")[:8]:
        return 0
    last = min(one.last, other.last)
    begin = max(1, shared(one.sections, other.sections))  # that step once more: a program may have changed there
    for first in range(begin, last + 1, BLOCK):
        stop = min(first + BLOCK - 1, last)
        differ = np.flatnonzero(hashes(one, first, stop) != hashes(other, first, stop))
        if len(differ):
            return first + int(differ[0])
    return None


def shared(one: tuple[Section, ...], other: tuple[Section, ...]) -> int:
    """The last step that both histories have from the same folders."""
    pairs = zip(one, other, strict=False)
    same = list(takewhile(lambda pair: pair[0].folder.resolve() == pair[1].folder.resolve(), pairs))
    if not same:
        return 0
    ends = [section.last for section in same[-1] if section.last is not None]
    return min(ends, default=0)


def hashes(history: History, first: int, last: int) -> Hashes:
    """The 64-bit hashes of the states `first` to `last`, 0 where none is recorded."""
    found = np.zeros(last - first + 1, np.uint64)
    for part in history.parts:
        low, high = max(first, part.first + 1), min(last, part.end())
        if low <= high:
            found[low - first : high - first + 1] = part.rows.hashes(low, high)
    if first <= history.first <= last:
        found[history.first - first] = int.from_bytes((history.hash_row(history.first) or b"")[:8], "little")
    if history.before is not None and first < history.first:
        found[: history.first - first] = hashes(history.before, first, min(last, history.first - 1))
    return found
