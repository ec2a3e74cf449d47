"""Which keyframe a run misses least: how keyframes are thinned where they take more bytes than they may.

Dropping one joins the stretch before it with its own; the shortest joined stretch goes first, of equal ones the oldest.
So every other of the oldest goes, then of the younger ones, and then the spacing doubles again from the oldest on. A
stretch that holds journal entries counts double, since people go back to what they did.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence

WEIGHT = 2


def dispensable(steps: Sequence[int], kept: Collection[int], entries: Sequence[int]) -> list[int]:
    """The keyframes that may go, the least missed first.

    `steps` in order; the first and the last always stay, and those in `kept`. `entries`: steps of journal entries, in
    order.
    """
    joined = {
        step: (after - before) * (WEIGHT if bisect_left(entries, after) > bisect_left(entries, step) else 1)
        for before, step, after in zip(steps, steps[1:], steps[2:], strict=False)
        if step not in kept
    }
    return sorted(joined, key=lambda step: (joined[step], step))
