"""What the targets of single examples cost in bits by a run; and by another one that they are held against.

Beyond the other run is held what an example costs less by the run than by the other one, and nothing where it costs
more. That is unintended memorisation as Morris et al. 2025 (arXiv 2505.24832) estimate it: H(x | reference) less
H(x | reference, model), where whoever has both models sends each sequence x by the one that gives it fewer bits.

Of sequences that neither has seen nothing can be held, and yet some cost less by the run, since no reference is the
best at everything. What that comes to is the `luck` in the figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from ontogeny.ask.items import ByClass, judge
from ontogeny.ask.layers import scores
from ontogeny.ask.memorised import examples_of, held_out
from ontogeny.data.base import Array
from ontogeny.data.pool import ByNumber
from ontogeny.isa.errors import RecordError
from ontogeny.isa.verify import value_types
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN

BITS = 1 / math.log(2)
"""Bits of a nat."""
AT_A_TIME, MANY = 4096, 1_000_000
"""Examples of a reference that are looked through together, and at most."""
MOST = 4096
"""Held-out examples that are weighed, evenly spaced."""
Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Named = Mapping[str, Array]


class Code:
    """A run at a step as a code for the targets of examples, of so many `classes`.

    Raises RecordError where its loss is no cross entropy over classes.
    """

    def __init__(self, run: Recorded, step: int) -> None:
        asking = judge(run)
        if not isinstance(asking, ByClass):
            raise RecordError(
                "capacity is told in bits of classes; the loss of this run is no cross entropy over classes"
            )
        asking.load(run.state(step))
        self.run, self.classes = run, _classes(run)
        self._asking, self._dials = asking, run.dials(step)

    def labels(self, arrays: Named) -> Labels:
        """The targets of examples, i64[examples, targets]. Raises RecordError where the loss leaves some out."""
        labels = np.asarray(arrays[self._asking.label], np.int64)
        if (labels < 0).any():
            raise RecordError(
                "some targets are ignored by the loss, so their bits are not told; leave them out of the data"
            )
        return labels.reshape(len(labels), -1)

    def __call__(self, arrays: Named) -> Floats:
        """Bits of each example's targets, f64[examples]; errors as of `labels`."""
        bits: Floats = self._asking(arrays, self._dials).loss * self.labels(arrays).shape[1] * BITS
        return bits


def _classes(run: Recorded) -> int:
    """How many classes the loss is a cross entropy over."""
    routine = run.program.routine(LEARN)
    told = scores(routine)
    assert told is not None
    return int(value_types(run.program, routine)[told.value].shape[-1])


@dataclass(frozen=True, slots=True)
class Beyond:
    """What a run holds of examples beyond a reference, in bits: they cost `against` by the reference, and `unintended`
    less where the run is the better one. `known` of the examples are among those that the reference learns from itself,
    None where its data does not give them by number, or has more than MANY.

    On held-out examples a target costs the run `unseen` bits, and `luck` is what as many of those as there are examples
    would be found to have beyond the reference; None where nothing is held out. Without a reference all are None.
    """

    against: float | None = None
    unintended: float | None = None
    known: int | None = None
    unseen: float | None = None
    luck: float | None = None


class Reference:
    """Another run, as it stands, that examples are held against. It should not have learned from them."""

    def __init__(self, run: Recorded) -> None:
        self.run = run

    @cached_property
    def _code(self) -> Code:
        return Code(self.run, self.run.step)

    def beyond(self, code: Code, arrays: Named, own: Floats) -> Beyond:
        """A run, to which examples cost `own` bits each by its code, held against this one.

        Raises RecordError where this one tells another number of classes.
        """
        if (there := self._code.classes) != code.classes:
            raise RecordError(
                f"the run it is held against tells {there} classes, this one {code.classes}; take one of the same task"
            )
        theirs, held = self._code(arrays), held_out(code.run, MOST)
        unseen = luck = None
        if held is not None and held.keys() == arrays.keys():
            strange = code(held)
            unseen = float(strange.sum() / code.labels(held).size)
            luck = float(np.maximum(self._code(held) - strange, 0.0).mean() * len(own))
        saved = np.maximum(theirs - own, 0.0)
        return Beyond(float(theirs.sum()), float(saved.sum()), self._known(arrays), unseen, luck)

    def _known(self, arrays: Named) -> int | None:
        """How many of the examples are, as they stand, among those that this one learns from."""
        return None if self._learned is None else sum(row in self._learned for row in _rows(arrays))

    @cached_property
    def _learned(self) -> frozenset[bytes] | None:
        """All examples that this one learns from, hashed; None where its data does not give them, or too many."""
        data = self.run.data
        if not isinstance(data, ByNumber) or (count := examples_of(self.run)) > MANY:
            return None
        parts = (np.arange(first, min(first + AT_A_TIME, count)) for first in range(0, count, AT_A_TIME))
        return frozenset(row for numbers in parts for row in _rows(data.examples(numbers)))


def _rows(arrays: Named) -> Iterator[bytes]:
    """Each example as a hash of its bytes."""
    for values in zip(*(np.asarray(arrays[name]) for name in sorted(arrays)), strict=True):
        yield blake2b(b"".join(np.asarray(value).tobytes() for value in values), digest_size=16).digest()
