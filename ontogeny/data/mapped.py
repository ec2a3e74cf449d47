"""Examples behind `__len__` and `__getitem__`: a map-style torch Dataset, or one of Hugging Face `datasets`.

Neither library is imported: an example is a mapping of names to values, or a sequence of values named by `names`, and
values are whatever `numpy.asarray` accepts (torch tensors on the CPU, images, numbers). Sources that draw random
numbers when they are read (augmentation) are not functions of the step and do not replay; nothing here can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import xxhash

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array, combined_hash, content_hash
from ontogeny.data.order import Order
from ontogeny.isa.errors import DataError


class Source(Protocol):
    """Examples by number."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Any: ...


Example = Mapping[str, Any]
Collate = Callable[[list[Any]], Mapping[str, Array]]


class Mapped:
    """Batches collated from a source of single examples, in the same order as `Arrays` of the same count and seed.

    `collate` turns a list of examples into named arrays; by default values of one name are stacked. `fingerprint` may
    be given where reading every example once, to hash it, takes too long. A smaller last batch of an epoch is dropped
    unless `drop_last` is false.
    """

    def __init__(
        self,
        source: Source,
        batch_size: int,
        seed: int = 0,
        *,
        names: Sequence[str] = ("x", "y"),
        collate: Collate | None = None,
        fingerprint: str | None = None,
        shuffle: bool = True,
        drop_last: bool = True,
    ) -> None:
        self.source = source
        self.names = tuple(names)
        self.order = Order(len(source), batch_size, seed, shuffle, drop_last)
        self.collate = collate or self._stack
        self._content = fingerprint or ""

    def __len__(self) -> int:
        return self.order.count

    @property
    def fingerprint(self) -> str:
        """A hash of every example (read once, at the first question), the batch size, the seed and the shuffle."""
        self._content = self._content or self._hash_all()
        return combined_hash("mapped", self._content, *self.order.parts())

    def indices(self, step: int) -> Array:
        """The numbers of the examples that step `step` learns from, i64[batch_size], fewer in a smaller last batch."""
        return self.order.indices(step)

    def batch(self, step: int) -> dict[str, Array]:
        """The examples of step `step`, collated to one array per name."""
        return self.examples(self.order.indices(step))

    def examples(self, numbers: Array) -> dict[str, Array]:
        """The examples of these numbers in their order, collated to one array per name."""
        return dict(self.collate([self.source[int(number)] for number in numbers]))

    def arrays(self) -> Arrays:
        """All examples read into memory, with the same batches; such data can be saved with its run."""
        everything = self.collate([self.source[number] for number in range(len(self))])
        order = self.order
        return Arrays(everything, order.batch_size, order.seed, shuffle=order.shuffle, drop_last=order.drop_last)

    def _stack(self, examples: list[Any]) -> dict[str, Array]:
        named = [named_values(example, self.names) for example in examples]
        if any(values.keys() != named[0].keys() for values in named):
            raise DataError("examples of one batch have different names; pass collate=")
        try:
            return {name: np.stack([np.asarray(values[name]) for values in named]) for name in named[0]}
        except (KeyError, ValueError) as error:
            raise DataError(f"examples do not stack into one array per name ({error}); pass collate=") from error

    def _hash_all(self) -> str:
        digest = xxhash.xxh3_128()
        for number in range(len(self)):
            digest.update(content_hash(self.collate([self.source[number]])).encode())
        return digest.hexdigest()


def named_values(example: Any, names: Sequence[str]) -> Example:
    """An example as a mapping: as it is, or a sequence (or a single value) under `names` in order."""
    if isinstance(example, Mapping):
        return example
    values = example if isinstance(example, tuple | list) else (example,)
    if len(values) > len(names):
        raise DataError(f"an example has {len(values)} values for the names {', '.join(names)}; pass names=")
    return dict(zip(names, values, strict=False))
