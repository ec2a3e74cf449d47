"""mislabelled_examples: training examples that the model, before it learns them by heart, is sure have another label.

At the state at which held-out loss is least, an example counts as contradicted where another class is far more likely
than its label (after confident learning, Northcutt et al. 2021). What overlaps by nature does so among held-out
examples as well, so that only what is contradicted beyond their share tells of wrong labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ontogeny.ask.evidence import COARSE, Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.inside import Inside
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.sureness import sureness
from ontogeny.data.without import ranges, written

NAME = "mislabelled_examples"
FAR = math.log(3.0)
"""The logarithm of how many times likelier another class has to be."""
SHARE = 0.03
"""Of the training examples, how many contradicted beyond the held-out share are as likely as not wrong labels."""
SHOWN = 1000


def look(evidence: Evidence) -> Iterator[Finding]:
    """The contradicted examples, the most contradicted first."""
    inside = evidence.inside
    labels, others = evidence.labels(), evidence.labels(held_out=True)
    if not len(inside.trained(inside.steps[0])) or len(inside.held_out(inside.steps[0])) != len(others):
        raise Silent("its loss is not a cross entropy over one label for each example, with held-out examples beside")
    step = best_state(inside, others)
    train = inside.trained(step)
    own, there = contradicted(train, labels[: len(train)]), contradicted(inside.held_out(step), others)
    expected = float(np.mean(there > FAR))
    share = float(np.mean(own > FAR))
    error = math.sqrt(max(expected, 1 / len(there)) / len(there)) + math.sqrt(max(share, 1e-6) / len(own))
    beyond = share - expected - error
    score = math.log(beyond / SHARE) if beyond > 0 else NONE
    if score == NONE:
        return
    order = np.argsort(-own)[: int(np.count_nonzero(own > FAR))]
    yield Finding(
        name=NAME,
        since=0,
        sureness=sureness(NAME, score),
        words=(
            f"{len(order)} of {len(own)} training examples ({share:.1%}) are at least {math.exp(FAR):.0f} times "
            f"likelier to have another label at step {step}; of held-out ones {expected:.1%}"
        ),
        score=score,
        figures={"contradicted": float(len(order)), "share": share, "held_out": expected, "step": float(step)},
        remedies=(
            Remedy("leave these examples out", "leave-out", {"examples": written(ranges(order[:SHOWN]))}),
            Remedy("look at their labels, the first ones first"),
        ),
        examples=tuple(order[:SHOWN].tolist()),
    )


def best_state(inside: Inside, labels: npt.NDArray[np.int64]) -> int:
    """Of some states, the one with the least held-out loss."""
    rows = np.arange(len(labels))
    return min(inside.steps[::COARSE], key=lambda step: _finite(-float(np.mean(inside.held_out(step)[rows, labels]))))


def contradicted(scores: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The log-probability of the likeliest class less that of the label."""
    found: npt.NDArray[np.float64] = scores.max(axis=1) - scores[np.arange(len(labels)), labels]
    return found


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.inf


KIND = Kind(NAME, "training examples with wrong labels", look=look)
