"""What a row is made of: tensors, laid side by side in banks of one number format each.

A lane is one element of one tensor; a bank is all lanes of one format. A row is the banks one after another, the widest
format first, so that each is aligned. A tensor that is a shard says which part of the whole it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.isa.types import DType
from ontogeny.machine.formats import NUMPY


@dataclass(frozen=True, slots=True)
class Tensor:
    """A recorded tensor. `shape` is that of what is recorded here; a shard lies at `start` in a tensor of `whole`."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    start: tuple[int, ...] = ()
    whole: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Number of elements, each a lane."""
        return prod(self.shape)

    def as_json(self) -> dict[str, Any]:
        """The tensor as a flat mapping."""
        found: dict[str, Any] = {"name": self.name, "dtype": str(self.dtype), "shape": list(self.shape)}
        return {**found, "start": list(self.start), "whole": list(self.whole)} if self.whole else found

    @staticmethod
    def of_json(found: Mapping[str, Any]) -> Tensor:
        """The tensor that `as_json` wrote."""
        start, whole = tuple(found.get("start", ())), tuple(found.get("whole", ()))
        return Tensor(found["name"], DType(found["dtype"]), tuple(found["shape"]), start, whole)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor's lanes lie: in which bank, and from which lane on."""

    bank: int
    first: int
    tensor: Tensor


@dataclass(frozen=True, slots=True)
class Bank:
    """All lanes of one format; `offset` is where it begins in a row, in bytes."""

    dtype: DType
    lanes: int
    offset: int

    @property
    def numpy(self) -> np.dtype[Any]:
        """The format as NumPy has it."""
        return np.dtype(NUMPY[self.dtype])


@dataclass(frozen=True)
class Layout:
    """The tensors of a row, in order, from row to row until another layout takes over."""

    tensors: tuple[Tensor, ...]
    places: Mapping[str, Place] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = [tensor.name for tensor in self.tensors]
        if len(set(names)) != len(names):
            raise RecordError(f"two tensors are called {next(n for n in names if names.count(n) > 1)!r}")
        formats = {tensor.dtype for tensor in self.tensors}
        order = sorted(formats, key=lambda dtype: (-dtype.bytes, dtype.value))
        ends = [0] * len(order)
        places = {}
        for tensor in self.tensors:
            bank = order.index(tensor.dtype)
            places[tensor.name] = Place(bank, ends[bank], tensor)
            ends[bank] += tensor.size
        object.__setattr__(self, "places", places)

    @cached_property
    def banks(self) -> tuple[Bank, ...]:
        """The banks, the widest format first."""
        formats = sorted({t.dtype for t in self.tensors}, key=lambda dtype: (-dtype.bytes, dtype.value))
        banks, offset = [], 0
        for dtype in formats:
            lanes = sum(t.size for t in self.tensors if t.dtype is dtype)
            banks.append(Bank(dtype, lanes, offset))
            offset += lanes * dtype.bytes
        return tuple(banks)

    @cached_property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return sum(t.size * t.dtype.bytes for t in self.tensors)

    def place(self, name: str) -> Place:
        """Where a tensor lies. Raises RecordError with the names there are."""
        if name not in self.places:
            raise RecordError(f"no tensor {name!r} is recorded here; there are {', '.join(self.places) or 'none'}")
        return self.places[name]

    def views(self, row: memoryview | bytearray | npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        """Each tensor's part of a row, in its own format and shape, sharing the row's memory."""
        found = {}
        for name, place in self.places.items():
            bank, tensor = self.banks[place.bank], place.tensor
            start = bank.offset + place.first * bank.dtype.bytes
            flat = np.frombuffer(row, bank.numpy, tensor.size, start)
            found[name] = flat.reshape(tensor.shape)
        return found

    def as_json(self) -> list[dict[str, Any]]:
        """The tensors as flat mappings."""
        return [tensor.as_json() for tensor in self.tensors]

    @staticmethod
    def of_json(found: Sequence[Mapping[str, Any]]) -> Layout:
        """The layout that `as_json` wrote."""
        return Layout(tuple(Tensor.of_json(item) for item in found))

    @staticmethod
    def of(arrays: Mapping[str, npt.NDArray[Any]], names: Iterable[str] | None = None) -> Layout:
        """The layout of arrays by name, all of them or those that are named."""
        kinds = {np.dtype(kind): dtype for dtype, kind in NUMPY.items()}
        chosen = list(arrays) if names is None else list(names)
        return Layout(tuple(Tensor(n, kinds[arrays[n].dtype], arrays[n].shape) for n in chosen))
