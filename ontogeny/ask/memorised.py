"""How much a run memorises, at any step of it: by canaries, whose labels can be known by heart alone, and beside that
how it does on its other training examples and on those held out.

The index is how much of what could be learnt of the canaries by heart was: (known - by chance) / (1 - by chance), where
`known` is the share of the canaries' targets that the run gets right, and `by chance` that of held-out examples whose
labels were drawn in the same way and are in no batch. 0 is chance, 1 all of them. A target is right where it is the
likeliest class; of real numbers it counts by the share of other drawn targets that are farther from the prediction.

What it does not tell: how many of the ordinary examples are memorised. Canaries are hard, so an index of 0 means that
nothing needs to be known by heart, and one of 1 that there is room for it (`ask/left_out.py` asks about examples).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ontogeny.ask.examples import VALID
from ontogeny.ask.items import ByDistance, Judge, Judged, Named, judge
from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.data.canaries import Canaries, drawn
from ontogeny.data.pool import ByNumber, by_number
from ontogeny.data.without import members, ranges
from ontogeny.isa.errors import RecordError
from ontogeny.record.recorded import Recorded

NOTED = "canaries"
"""The kind of a note in the journal that names canaries which somebody planted otherwise."""
MOST = 4096
"""Of the other training examples, and of the held-out ones, so many are looked at, evenly spaced."""
Z = 1.959964
"""Standard deviations of a 95% interval."""


@dataclass(frozen=True, slots=True)
class Index:
    """The memorisation index, from 0 to 1, with its 95% interval; of so many `canaries`, beside so many `controls`.

    `known` and `by_chance` are the shares of the canaries' and of the controls' targets that are right. The interval is
    Newcombe's for the difference of two proportions (1998, method 10); the one of sequences is too wide, since their
    shares vary less than single targets.
    """

    value: float
    low: float
    high: float
    known: float
    by_chance: float
    canaries: int
    controls: int


@dataclass(frozen=True, slots=True)
class Side:
    """Some examples: how many were looked at, their mean loss, the share of targets that are right, and the share of
    examples that are reproduced exactly."""

    examples: int
    loss: float
    right: float
    exact: float


@dataclass(frozen=True, slots=True)
class Memorised:
    """A run at a step: the training examples that are no canaries, the held-out ones, and the index.

    Each is None where there are none; the index needs canaries, and held-out examples to hold them against.
    """

    step: int
    train: Side | None
    valid: Side | None
    index: Index | None

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def canaries(run: Recorded) -> Canaries | None:
    """The canaries of a run: those planted in its data, else those that a note in its journal names; None without."""
    told = run.start["data"].get("canaries")
    if told is not None:
        return Canaries.of(told)
    numbers = [n for entry in run.entries if entry.kind == NOTED for n in members(entry["examples"])]
    return Canaries("", ranges(numbers), 0) if numbers else None


def memorised(run: Recorded, step: int | None = None, most: int = MOST) -> Memorised:
    """How much is memorised at a state (default: the present one). The run is not changed, and can be going on.

    Raises RecordError where the program tells no targets, and DataError for data that gives no examples by number.
    """
    step = run.step if step is None else step
    return Meter(run.as_of(step), most)(step)


class Meter:
    """Asks a run at one step after another how much it memorises; what does not change is looked up once.

    `numbers` are the canaries, `others` the further training examples looked at, i64; `valid` those held out.
    """

    def __init__(self, run: Recorded, most: int = MOST, state: Callable[[int], Named] | None = None) -> None:
        """`state` gives the registers at a step, where somebody has them already."""
        self.run, self._state = run, state or run.state
        self.judge: Judge = judge(run)
        planted = canaries(run)
        if planted is not None and planted.label not in ("", self.judge.label):
            raise RecordError(
                f"the canaries are in {planted.label!r}, but the loss goes by {self.judge.label!r}; plant them there"
            )
        data, count = by_number(run.data), examples_of(run)
        self.numbers = np.array([n for n in planted.numbers if n < count] if planted else [], np.int64)
        self._canaries: Named | None = data.examples(self.numbers) if len(self.numbers) else None
        self.others = spread(np.setdiff1d(np.arange(count), self.numbers), most)
        self.valid = held_out(run, most)
        self._data = data
        self._controls = self._control(data, planted) if planted is not None and self.valid is not None else None

    def __call__(self, step: int | None = None) -> Memorised:
        """At a state, by default the present one."""
        step = self.run.step if step is None else step
        dials = self._at(step)
        train = self.judge(self._data.examples(self.others), dials) if len(self.others) else None
        return self.told(step, dials, train, self.judge(self.valid, dials) if self.valid is not None else None)

    def told(self, step: int, dials: Mapping[str, float], train: Judged | None, valid: Judged | None) -> Memorised:
        """The same where `others` and `valid` were judged already, by a judge that has that state."""
        index = self._index(dials) if self._canaries is not None and self._controls is not None else None
        return Memorised(step, _side(train), _side(valid), index)

    def known(self, step: int) -> float:
        """The share of the canaries' targets that are right at a state. Raises RecordError where there are none."""
        if self._canaries is None:
            raise RecordError("the run has no canaries; plant some in its data (ontogeny.plant) before it begins")
        return float(self._known(self._canaries, self._at(step)).mean())

    def _at(self, step: int) -> dict[str, float]:
        self.judge.load(self._state(step))
        return self.run.dials(step)

    def _control(self, data: ByNumber, planted: Canaries) -> Named | None:
        """Held-out examples with labels drawn as those of the canaries were."""
        valid, label = self.valid, planted.label or self.judge.label
        if valid is None or label not in valid or not isinstance(data, Arrays):
            return None
        random = np.random.default_rng([planted.seed, 1])
        return {**valid, label: drawn(np.asarray(valid[label]), data.arrays[label], random)}

    def _index(self, dials: Mapping[str, float]) -> Index:
        assert self._canaries is not None and self._controls is not None
        known = self._known(self._canaries, dials)
        by_chance = self._known(self._controls, dials)
        return index_of(float(known.mean()), len(known), float(by_chance.mean()), len(by_chance))

    def _known(self, arrays: Named, dials: Mapping[str, float]) -> Array:
        if isinstance(self.judge, ByDistance):
            return self.judge.nearer(arrays, dials)
        right: Array = self.judge(arrays, dials).right
        return right[~np.isnan(right)]


def _side(found: Judged | None) -> Side | None:
    if found is None:
        return None
    means = (float(np.nanmean(one)) for one in (found.loss, found.right, found.exact))
    return Side(len(found), *means)


def index_of(known: float, canaries: int, by_chance: float, controls: int) -> Index:
    """The index of two shares, each of so many examples."""
    low, high = newcombe(known, canaries, by_chance, controls)
    room = 1.0 - by_chance
    value, low, high = (min(1.0, max(0.0, one / room)) if room > 0 else 0.0 for one in (known - by_chance, low, high))
    return Index(value, low, high, known, by_chance, canaries, controls)


def newcombe(first: float, count: int, second: float, other: int) -> tuple[float, float]:
    """The 95% interval of a difference of proportions, from Wilson's of each (Newcombe 1998, method 10)."""
    (low1, high1), (low2, high2) = wilson(first, count), wilson(second, other)
    gap = first - second
    below = math.sqrt((first - low1) ** 2 + (high2 - second) ** 2)
    above = math.sqrt((high1 - first) ** 2 + (second - low2) ** 2)
    return gap - below, gap + above


def wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's 95% interval of a proportion."""
    centre = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    reach = Z * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count)) / (1 + Z * Z / count)
    return centre - reach, centre + reach


def spread(numbers: Array, most: int) -> Array:
    """So many of the numbers at most, evenly spaced."""
    if len(numbers) <= most:
        return numbers
    return numbers[np.linspace(0, len(numbers) - 1, most).round().astype(np.int64)]


def examples_of(run: Recorded) -> int:
    """How many training examples a run's data has. Raises RecordError where it does not say."""
    data = run.data
    size = getattr(data, "__len__", None)
    if size is None:
        raise RecordError(f"a {type(data).__name__} does not say how many examples it has; give it a method __len__")
    return int(size())


def held_out(run: Recorded, most: int) -> Named | None:
    """The held-out examples named as the training inputs are, so many at most; None without any."""
    if not run.valid:
        return None
    arrays = {name.removeprefix(VALID): np.asarray(array) for name, array in run.valid.items()}
    count = min(len(array) for array in arrays.values())
    rows = spread(np.arange(count), most)
    return {name: array[rows] for name, array in arrays.items()}
