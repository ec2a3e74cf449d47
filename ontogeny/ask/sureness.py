"""How sure a finding is: its score, as the share of simulated runs with such a score in which the fault was planted.

A logistic curve for each kind (Platt 1999) whose slope is fitted by `benches/diagnose.py --calibrate` on the runs of
its tuning seeds, faulty and healthy ones alike; the bench says how far it is off on the seeds that were held out. A
score is the natural logarithm of a sign over a bound that was set on the tuning seeds, too: at 0 either is as likely.
"""

from __future__ import annotations

import math

SURE = 0.5
"""A finding is reported from here on."""
EXACT = 1.0
"""The sureness of what is counted, not inferred."""
SLOPES: dict[str, float] = {
    "diverging": 0.67,
    "gradients_not_zeroed": 0.75,
    "shuffled_labels": 2.83,
    "exploding_gradient": 1.68,
    "learning_rate_too_high": 1.89,
    "learning_rate_too_low": 0.59,
    "memorising": 0.63,
    "dead_units": 1.68,
    "saturated_units": 0.89,
    "vanishing_gradient": 1.12,
    "lost_updates": 1.19,
    "mislabelled_examples": 1.33,
    "failing_slice": 0.89,
}
"""By kind, as fitted on 212 runs; few, so that no kind is called certain."""
USUAL = 2.0
MOST = 0.99


def sureness(name: str, score: float) -> float:
    """The sureness of a kind's score, at most 0.99 but for what is counted."""
    if score == math.inf:
        return EXACT
    return min(MOST, 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, SLOPES.get(name, USUAL) * score)))))
