"""duplicated_examples: training examples with the same inputs, counted exactly by their bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ontogeny.ask.evidence import Evidence
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.kind import Kind
from ontogeny.ask.sureness import EXACT
from ontogeny.data.without import ranges, written

NAME = "duplicated_examples"
SHARE = 0.02
"""Of the training examples, how many have to be copies of an earlier one."""
SHOWN = 1000


def look(evidence: Evidence) -> Iterator[Finding]:
    """The examples that repeat an earlier one."""
    train = evidence.examples.hashes[0]
    _, first = np.unique(train, return_index=True)
    copies = np.setdiff1d(np.arange(len(train)), first)
    share = len(copies) / max(1, len(train))
    if share < SHARE:
        return
    yield Finding(
        name=NAME,
        since=0,
        sureness=EXACT,
        words=f"{len(copies)} of {len(train)} training examples ({share:.1%}) repeat an earlier one, byte for byte",
        score=math.inf,
        figures={"copies": float(len(copies)), "examples": float(len(train)), "share": share},
        remedies=(Remedy("leave the copies out", "leave-out", {"examples": written(ranges(copies))}),),
        examples=tuple(copies[:SHOWN].tolist()),
    )


KIND = Kind(NAME, "training examples stand there more than once", look=look)
