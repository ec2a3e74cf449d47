"""What networks hold of their data beyond a reference, over sizes: a curve over data for each number of parameters.

After the figure of Morris et al. 2025 (arXiv 2505.24832) for real text: unintended memorisation rises with the data,
since all of it is held, until the network is full; with more data than that it falls as the network takes what the
examples have in common instead. Both axes are in bits for each parameter: what the reference would have to be told
of the data, so that on the diagonal all of it is held, and what of that the run holds.

Not known here: whether the runs learned for long enough. One that did not holds less than it could.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from ontogeny.ask.capacity import Capacity


@dataclass(frozen=True, slots=True)
class Point:
    """Runs of as many parameters on as many targets, in the mean, most of it in bits for each parameter.

    To the reference the targets cost `data`, of which `held` is not needed, between the `least` and the `most` of
    the runs; `luck` of it is no memory. A target costs the runs `own` bits where they learned from it, `unseen` bits
    where it was held out, and the reference `theirs`. Where nothing is held out, `luck` and `unseen` are None.
    """

    runs: tuple[str, ...]
    targets: int
    data: float
    held: float
    least: float
    most: float
    luck: float | None
    own: float
    unseen: float | None
    theirs: float

    @property
    def share(self) -> float:
        """How much of what the reference would have to be told is held; 0 where that is nothing."""
        return self.held / self.data if self.data > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Curve:
    """Runs of one number of `parameters`, a point for each amount of data, the least first."""

    parameters: int
    points: tuple[Point, ...]

    @property
    def peak(self) -> Point:
        """Where most is held."""
        return max(self.points, key=lambda one: one.held)

    @property
    def fall(self) -> float:
        """What of the most that is held is lost on the most data, as a share; 0 where the most is held there."""
        return 1.0 - self.points[-1].held / self.peak.held if self.peak.held > 0 else 0.0

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {**asdict(self), "peak": asdict(self.peak), "fall": self.fall}


def curves(found: Mapping[str, Capacity]) -> tuple[Curve, ...]:
    """A curve for each number of parameters, the least first, of runs by name that were held against one reference."""
    sizes = defaultdict[int, dict[int, dict[str, Capacity]]](lambda: defaultdict(dict))
    for name, one in found.items():
        sizes[one.parameters][one.targets][name] = one
    return tuple(
        Curve(size, tuple(_point(by_data[targets]) for targets in sorted(by_data)))
        for size, by_data in sorted(sizes.items())
    )


def _point(found: Mapping[str, Capacity]) -> Point:
    runs = list(found.values())
    held = [(one.unintended or 0.0) / one.parameters for one in runs]
    return Point(
        runs=tuple(found),
        targets=runs[0].targets,
        data=fmean((one.against or 0.0) / one.parameters for one in runs),
        held=fmean(held),
        least=min(held),
        most=max(held),
        luck=_mean(None if one.luck is None else one.luck / one.parameters for one in runs),
        own=fmean(one.model / one.targets for one in runs),
        unseen=_mean(one.unseen for one in runs),
        theirs=fmean((one.against or 0.0) / one.targets for one in runs),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    """The mean of those that there are."""
    there = [value for value in values if value is not None]
    return fmean(there) if there else None


def curve_words(curve: Curve) -> str:
    """Where most is held, and what becomes of it with more data."""
    peak, last = curve.peak, curve.points[-1]
    found = (
        f"{curve.parameters:,} parameters hold at most {peak.held:.4g} bits each beyond the reference, of "
        f"{peak.data:.4g} bits of data"
    )
    if len(curve.points) == 1:
        return f"{found}; with runs on more and on less data there is a curve"
    if last is peak:
        return f"{found}, the most data there is: more of it would tell whether that falls"
    return f"{found}; {last.held:.4g} of {last.data:.4g}, {curve.fall:.0%} less"
