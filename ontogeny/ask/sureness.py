"""How sure a finding is: its score, as the share of simulated runs with such a score in which the fault was planted.

A logistic curve for each kind (Platt 1999), fitted by `benches/diagnose.py --calibrate` on the runs of its tuning
seeds, faulty and healthy ones alike; the bench says how far it is off on the seeds that were held out. A score is the
natural logarithm of a sign over a bound, so that 0 is about as likely as not.
"""

from __future__ import annotations

import math

SURE = 0.5
"""A finding is reported from here on."""
EXACT = 1.0
"""The sureness of what is counted, not inferred."""
CURVES: dict[str, tuple[float, float]] = {}
"""For each kind the slope and the offset of its curve."""
USUAL = (4.0, 0.0)
MOST = 0.99


def sureness(name: str, score: float) -> float:
    """The sureness of a kind's score, at most 0.99."""
    if score == math.inf:
        return EXACT
    slope, offset = CURVES.get(name, USUAL)
    return min(MOST, 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, slope * score + offset)))))
