"""Examples of a group, drawn again and again: epochs without end, each in its own order, and no remainder dropped."""

from __future__ import annotations

import numpy as np

from ontogeny.data.base import combined_hash
from ontogeny.data.shuffle import SORTED, Places, epoch_order, places
from ontogeny.data.without import Ranges


class Epochs:
    """An endless sequence of a group's numbers, in which each epoch holds each of them once.

    The order is a pure function of the group, `seed` and `begun`, the step at which it began to be drawn from.
    """

    def __init__(self, examples: Ranges, seed: int, begun: int) -> None:
        self.numbers = np.concatenate([np.arange(*run, dtype=np.int64) for run in examples])
        self._seed = int(combined_hash("draws", seed, begun, examples)[:15], 16)
        self._epoch: tuple[int, Places] | None = None

    def take(self, first: int, count: int) -> Places:
        """The numbers at the places `first` up to `first` + `count` of the sequence, i64[count]."""
        size, found = len(self.numbers), [np.zeros(0, np.int64)]
        while count > 0:
            epoch, place = divmod(first, size)
            some = min(count, size - place)
            found.append(self.numbers[self._places(epoch, place, some)])
            first, count = first + some, count - some
        return np.concatenate(found)

    def _places(self, epoch: int, first: int, count: int) -> Places:
        """Part of an epoch's order, of which a small group's is kept until another is asked for."""
        size = len(self.numbers)
        if size > SORTED:
            return places(size, self._seed, epoch, first, first + count)
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = epoch, epoch_order(size, self._seed, epoch)
        return self._epoch[1][first : first + count]
