"""leakage: held-out examples whose inputs are among the training examples, counted exactly by their bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ontogeny.ask.evidence import Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.kind import Kind
from ontogeny.ask.sureness import EXACT
from ontogeny.data.without import ranges, written

NAME = "leakage"
SHARE = 0.01
"""Of the held-out examples, how many have to be known from training."""
SHOWN = 1000


def look(evidence: Evidence) -> Iterator[Finding]:
    """The training examples that are held out as well."""
    train, held = evidence.examples.hashes
    if not len(held):
        raise Silent("no held-out examples with the same inputs are known; pass valid=")
    leaked = np.isin(held, train)
    share = float(leaked.mean())
    if share < SHARE:
        return
    examples = np.flatnonzero(np.isin(train, held[leaked]))
    yield Finding(
        name=NAME,
        since=0,
        sureness=EXACT,
        words=f"{leaked.sum()} of {len(held)} held-out examples ({share:.1%}) are training examples, byte for byte",
        score=math.inf,
        figures={"leaked": float(leaked.sum()), "held_out": float(len(held)), "share": share},
        remedies=(
            Remedy("leave these examples out of training", "leave-out", {"examples": written(ranges(examples))}),
            Remedy("split the data anew, by what examples have in common, before anything else is done with it"),
        ),
        examples=tuple(examples[:SHOWN].tolist()),
    )


KIND = Kind(NAME, "held-out examples are among the training examples", look=look)
