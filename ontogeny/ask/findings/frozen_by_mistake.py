"""frozen_by_mistake: tensors of a loop that have stood still to the last bit while others moved.

Whether that is meant, the values do not tell; that it began in the middle of training speaks against it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ontogeny.ask.evidence import Evidence
from ontogeny.ask.finding import Finding, Remedy, series
from ontogeny.ask.kind import Kind
from ontogeny.ask.sureness import sureness

NAME = "frozen_by_mistake"
LONG = 0.04
"""Of the window, how long it has to stand still."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """The tensors that stand still at the end, and since when."""
    moved = evidence.moved
    since = moved.still_since()
    last, first = moved.recorded[-1], moved.recorded[0]
    usual = sorted(since.values())[len(since) // 2] if since else last
    frozen = {name: step for name, step in since.items() if step < last}
    if not frozen or usual < last or last == first:
        return
    start = min(frozen.values())
    length = (last - start) / (last - first)
    score = math.log(max(length, 1e-6) / LONG)
    names = tuple(name for name, step in frozen.items() if step <= start + (last - first) * LONG)
    yield Finding(
        name=NAME,
        since=int(start),
        sureness=sureness(NAME, score),
        words=f"{', '.join(names[:4])}{' and others' if len(names) > 4 else ''} have not changed since step {start}",
        found=int(start),
        score=score,
        evidence=tuple(series(f"size of {name}", *moved.sizes(name)) for name in names[:2]),
        figures={"tensors": float(len(names)), "of": float(len(since)), "share_of_window": length},
        remedies=(
            Remedy("let them learn again", "unfreeze", {"tensors": list(names)}),
            Remedy(
                "look whether they require a gradient, are given to the optimizer, and lie in the graph of the loss"
            ),
        ),
        tensors=names,
    )


KIND = Kind(NAME, "tensors that stand still while others move", look=look)
