"""Examples held in memory as NumPy arrays, shuffled anew every epoch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ontogeny.data.base import Array, combined_hash, content_hash
from ontogeny.data.order import Order
from ontogeny.isa.errors import DataError


class Arrays:
    """Named arrays whose first dimension counts examples, in batches of `batch_size`.

    `batch(step)` depends on the arrays, `batch_size`, `seed` and `step` alone. Every epoch is shuffled anew (unless
    `shuffle` is false). Its last batch is dropped where it is smaller, or kept as it is with `drop_last=False`.
    Raises DataError for arrays of different lengths, formats that are not numbers, and a batch larger than the data.
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        batch_size: int,
        seed: int = 0,
        *,
        shuffle: bool = True,
        drop_last: bool = True,
    ) -> None:
        self.arrays = {name: _checked(name, array) for name, array in arrays.items()}
        lengths = {name: len(array) for name, array in self.arrays.items()}
        if len(set(lengths.values())) != 1:
            raise DataError(f"every array needs one entry per example; the lengths are {lengths or 'none'}")
        self.order = Order(next(iter(lengths.values())), batch_size, seed, shuffle, drop_last)
        self._content = ""

    def __len__(self) -> int:
        return self.order.count

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}: {a.dtype}{list(a.shape)}" for name, a in self.arrays.items())
        return f"Arrays({shapes}; {self.order})"

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays.values())

    @property
    def content(self) -> str:
        """A hash of the arrays: names, formats, shapes, bytes."""
        self._content = self._content or content_hash(self.arrays)
        return self._content

    @property
    def fingerprint(self) -> str:
        """A hash of the arrays, the batch size, the seed, the shuffle and what becomes of the last batch."""
        return combined_hash("arrays", self.content, *self.order.parts())

    def indices(self, step: int) -> Array:
        """The numbers of the examples that step `step` learns from, i64[batch_size], fewer in a smaller last batch."""
        return self.order.indices(step)

    def batch(self, step: int) -> dict[str, Array]:
        """The examples of step `step`, one array per name."""
        return self.examples(self.order.indices(step))

    def examples(self, numbers: Array) -> dict[str, Array]:
        """The examples of these numbers in their order, one array per name."""
        return {name: array[numbers] for name, array in self.arrays.items()}


def _checked(name: str, array: Array) -> Array:
    array = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
    if array.ndim == 0:
        raise DataError(f"{name!r} is a single value; its first dimension must count the examples")
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise DataError(f"{name!r} holds {array.dtype}; numbers or bools were expected, so convert it first")
    return array
