"""A value of an update as a sum of parts, one for each source that it comes from.

Linear operations carry the parts through. A product of two divided values stays linear in the one that was made by
linear operations alone, with the other as its coefficient: m / (sqrt(v) + eps) is linear in m, Newton and Schulz's
P(X X') X in X. What a nonlinear operation makes is a coefficient until it is added to something; then it is shared in
proportion to the parts of what it was made of, sign(x) as x (sign(x) / x). Shared lines are remarked upon.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ontogeny.data.base import Array

SELF, CARRIED, GRADIENT, EXAMPLE = "decay", "carried", "gradient", "example"
CLIPPING, NOISE, OTHER = "clipping", "noise", "other"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a part comes from: its kind, and the slot, value or register that it came in by."""

    kind: str
    name: str = ""


Parts = dict[Source, Array]
CLIPPED, UNDIVIDED = Source(CLIPPING), Source(OTHER)


@dataclass(slots=True)
class Value:
    """An f64 array and, made when asked for, its parts, which sum to it.

    `sources` is empty for a constant or a dial. `linear` says that the parts came through linear operations. `argument`
    is what a comparison compared, as a difference; `bound` marks the factor by which gradients are clipped.
    """

    total: Array
    sources: frozenset[Source] = frozenset()
    linear: bool = True
    make: Callable[[], Parts] | None = None
    argument: Value | None = None
    bound: bool = False
    _parts: Parts | None = field(default=None, repr=False)

    @property
    def divided(self) -> bool:
        """Whether it comes from any source."""
        return bool(self.sources)

    @property
    def gradients(self) -> bool:
        """Whether it comes from gradients alone."""
        return self.divided and all(source.kind in (GRADIENT, EXAMPLE, CLIPPING) for source in self.sources)

    def parts(self) -> Parts:
        """The parts, of the shape of the whole."""
        if self._parts is None:
            self._parts = self.make() if self.make else {UNDIVIDED: self.total} if np.any(self.total) else {}
        return self._parts


Remark = Callable[[], None]
"""Called when parts are shared in proportion."""


def from_source(source: Source, total: Array) -> Value:
    """A value that comes in whole from one source."""
    return Value(total, frozenset({source}), make=lambda: {source: total})


def mapped(total: Array, value: Value, function: Callable[[Array], Array]) -> Value:
    """A linear function of one value."""
    parts = lambda: {source: function(part) for source, part in value.parts().items()}  # noqa: E731
    return Value(total, value.sources, value.linear, parts if value.divided else None, bound=value.bound)


def added(total: Array, terms: list[Value]) -> Value:
    """A sum, each term of the shape of the whole or stretched to it."""
    sources = frozenset[Source]().union(*(term.sources for term in terms))

    def parts() -> Parts:
        found: Parts = {}
        for term in terms:
            for source, part in term.parts().items():
                wide = np.broadcast_to(part, total.shape)
                found[source] = found[source] + wide if source in found else wide
        return found

    return Value(total, sources, any(term.linear and term.divided for term in terms), parts if sources else None)


def times(
    total: Array, a: Value, b: Value, product: Callable[[Array, Array], Array], remark: Remark | None = None
) -> Value:
    """What is linear in each of two values: a product, a matrix product."""
    if not (a.divided and b.divided):
        one, function = (b, lambda part: product(a.total, part)) if b.divided else (a, lambda p: product(p, b.total))
        return mapped(total, one, function)
    for one, factor in ((a, b), (b, a)):
        if one.linear and one.gradients and factor.bound:
            return clipped(total, one)
    if a.linear != b.linear:
        carried = mapped(total, a, lambda p: product(p, b.total)) if a.linear else None
        return carried or mapped(total, b, lambda part: product(a.total, part))
    return _halved(total, a, b, product, remark)


def clipped(total: Array, gradient: Value) -> Value:
    """Gradients and what clipping took from them."""

    def parts() -> Parts:
        found = {source: np.broadcast_to(part, total.shape) for source, part in gradient.parts().items()}
        taken = total - sum(found.values(), np.zeros(()))
        return {**found, CLIPPED: found.get(CLIPPED, 0.0) + taken}

    return Value(total, gradient.sources | {CLIPPED}, True, parts)


def _halved(total: Array, a: Value, b: Value, product: Callable[[Array, Array], Array], remark: Remark | None) -> Value:
    """A product of two values of which neither is the other's coefficient: half of it by the parts of each."""
    sources = a.sources | b.sources
    if len(sources) == 1:
        (only,) = sources
        return Value(total, sources, False, lambda: {only: total})
    halves = [
        mapped(total, a, lambda part: product(part, b.total) / 2),
        mapped(total, b, lambda part: product(a.total, part) / 2),
    ]
    summed = added(total, halves)

    def parts() -> Parts:
        if remark:
            remark()
        return summed.parts()

    return Value(total, sources, False, parts)


def chosen(total: Array, holds: Array, a: Value, b: Value) -> Value:
    """`a` where `holds`, else `b`."""
    picks = [
        mapped(total, a, lambda part: np.where(holds, part, 0.0)),
        mapped(total, b, lambda part: np.where(holds, 0.0, part)),
    ]
    for pick, value, where in ((picks[0], a, holds), (picks[1], b, ~np.asarray(holds))):
        if not value.divided:
            pick.make = _constant(np.where(where, value.total, 0.0))
    found = added(total, picks)
    found.linear = any(value.linear and value.divided for value in (a, b))
    return found


def _constant(total: Array) -> Callable[[], Parts]:
    return lambda: {UNDIVIDED: total} if np.any(total) else {}


def shared(total: Array, sources: frozenset[Source], argument: Value | None, remark: Remark | None = None) -> Value:
    """What a nonlinear operation made: a coefficient, or where that will not do shared by the parts of `argument`."""
    if not sources:
        return Value(total)

    def parts() -> Parts:
        if len(sources) == 1:
            return {next(iter(sources)): total}
        if remark:
            remark()
        if argument is None or argument.total.shape not in (total.shape, ()):
            return {UNDIVIDED: total}
        return _in_proportion(total, argument)

    return Value(total, sources, False, parts, argument)


def _in_proportion(total: Array, argument: Value) -> Parts:
    whole = argument.total
    nowhere = whole == 0
    with np.errstate(all="ignore"):
        ratio = np.where(nowhere, 0.0, total / np.where(nowhere, 1.0, whole))
    found = {source: ratio * part for source, part in argument.parts().items()}
    left = np.where(nowhere, total, 0.0)
    if np.any(left):
        found[UNDIVIDED] = found.get(UNDIVIDED, np.zeros(())) + left
    return found
