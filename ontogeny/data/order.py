"""Which examples belong to which step: epochs of batches, each epoch in its own order.

Batches are whole unless the last, smaller one of an epoch is asked for.
"""

from __future__ import annotations

import numpy as np

from ontogeny.data.shuffle import SORTED, Places, epoch_order, places
from ontogeny.isa.errors import DataError

STRETCH = 1 << 16


class Order:
    """`indices(step)` as a pure function of the count of examples, the batch size, the seed and the step.

    With `drop_last` false an epoch ends with the examples that are left over, where there are any.
    """

    def __init__(
        self, count: int, batch_size: int, seed: int = 0, shuffle: bool = True, drop_last: bool = True
    ) -> None:
        if not 1 <= batch_size <= count:
            raise DataError(f"a batch of {batch_size} cannot be taken from {count} examples; choose 1 to {count}")
        self.count = count
        self.batch_size = batch_size
        self.seed = int(seed)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.steps_per_epoch = count // batch_size if drop_last else -(-count // batch_size)
        self._span = self.steps_per_epoch if count <= SORTED else max(1, STRETCH // batch_size)
        self._cached = (-1, -1)
        self._stretch: Places | None = None

    def __repr__(self) -> str:
        kept = "" if self.drop_last else ", the last one too"
        return f"batches of {self.batch_size}{kept}, seed {self.seed}{'' if self.shuffle else ', in order'}"

    def parts(self) -> tuple[int | bool | str, ...]:
        """What the order depends on, for a fingerprint."""
        kept = () if self.drop_last else ("keep_last",)
        return self.count, self.batch_size, self.seed, self.shuffle, *kept

    def indices(self, step: int) -> Places:
        """The numbers of the examples of a step, i64[batch_size]; fewer where an epoch's last batch is kept."""
        if step < 0:
            raise DataError(f"step {step} does not exist; steps count from 0")
        epoch, batch = divmod(step, self.steps_per_epoch)
        if not self.shuffle:
            return np.arange(batch * self.batch_size, min((batch + 1) * self.batch_size, self.count), dtype=np.int64)
        part, within = divmod(batch, self._span)
        return self._part(epoch, part)[within * self.batch_size : (within + 1) * self.batch_size]

    def _part(self, epoch: int, part: int) -> Places:
        """The epoch, or where it is long a stretch of it, kept until another is asked for."""
        if self._stretch is None or self._cached != (epoch, part):
            self._stretch = self._make(epoch, part * self._span * self.batch_size)
            self._stretch.setflags(write=False)
            self._cached = epoch, part
        return self._stretch

    def _make(self, epoch: int, first: int) -> Places:
        if self.count <= SORTED:
            return epoch_order(self.count, self.seed, epoch)
        return places(self.count, self.seed, epoch, first, min(first + self._span * self.batch_size, self.count))
