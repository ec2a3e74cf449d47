"""From figures to a verdict: intervals over seeds, and on which side of the claim's bounds they lie.

The interval of a figure is that of its mean over the seeds, 95% by Student's t. A claim holds where each interval lies
wholly on the side that the claim says, fails where one lies wholly on the other, and is undecided else; so a single
seed decides nothing, unless the claim is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import fmean, stdev

from scipy.stats import t as student

from ontogeny.claims.claim import Claim, Expectation, Measured
from ontogeny.isa.errors import ClaimError

CONFIDENCE = 0.95


class Verdict(Enum):
    """What was found of a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds and its interval; the least and the most of them for an exact claim."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One expectation, the figure's interval, and the verdict on it."""

    expectation: Expectation
    interval: Interval
    verdict: Verdict


def judged(claim: Claim, found: Sequence[Measured]) -> tuple[Judged, ...]:
    """What each expectation of a claim comes to. Raises ClaimError where a figure is missing."""
    return tuple(_judged(claim, expectation, found) for expectation in claim.expects)


def verdict(judgements: Sequence[Judged]) -> Verdict:
    """The whole claim's: it fails with any of its expectations, and holds with all."""
    verdicts = {one.verdict for one in judgements}
    if Verdict.FAILS in verdicts:
        return Verdict.FAILS
    return Verdict.HOLDS if verdicts == {Verdict.HOLDS} else Verdict.UNDECIDED


def interval(values: Sequence[float], within: tuple[float, float] = (-math.inf, math.inf)) -> Interval:
    """The mean and its 95% interval, no farther than values can lie at all.

    Without bounds for fewer than two values or where one is no number.
    """
    mean = fmean(values) if values else math.nan
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return Interval(mean, -math.inf, math.inf)
    error = stdev(values) / math.sqrt(len(values))
    reach = float(student.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
    return Interval(mean, max(mean - reach, within[0]), min(mean + reach, within[1]))


def _judged(claim: Claim, expectation: Expectation, found: Sequence[Measured]) -> Judged:
    missing = [one for one in found if expectation.figure not in one.figures]
    if missing or not found:
        raise ClaimError(f"{claim.name} measured no {expectation.figure!r}; measure it again, with --measure --anew")
    values = [float(one.figures[expectation.figure]) for one in found]
    if claim.exact:
        between = Interval(fmean(values), min(values), max(values))
        return Judged(expectation, between, Verdict.HOLDS if _all(expectation, values) else Verdict.FAILS)
    between = interval(values, expectation.within)
    if _all(expectation, (between.low, between.high)):
        return Judged(expectation, between, Verdict.HOLDS)
    beyond = not any(_all(expectation, (end,)) for end in (between.low, between.high))
    return Judged(expectation, between, Verdict.FAILS if beyond else Verdict.UNDECIDED)


def _all(expectation: Expectation, values: Sequence[float]) -> bool:
    """Whether all values lie on the side that is expected; nothing does that is no number."""
    if expectation.relation == ">=":
        return all(value >= expectation.bound for value in values)
    return all(value <= expectation.bound for value in values)
