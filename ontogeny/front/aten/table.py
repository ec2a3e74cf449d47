"""What the handlers of ATen operations share: the context they emit into, and small conversions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from ontogeny.front.author import Value, constant
from ontogeny.isa.build import Builder
from ontogeny.isa.program import Number
from ontogeny.isa.types import DType, Type

DTYPES: dict[torch.dtype, DType] = {
    torch.float16: DType.F16,
    torch.bfloat16: DType.BF16,
    torch.float32: DType.F32,
    torch.float64: DType.F64,
    torch.int8: DType.I8,
    torch.int16: DType.I16,
    torch.int32: DType.I32,
    torch.int64: DType.I64,
    torch.uint8: DType.U8,
    torch.uint16: DType.U16,
    torch.uint32: DType.U32,
    torch.uint64: DType.U64,
    torch.bool: DType.BOOL,
}


@dataclass(frozen=True, slots=True)
class Meta:
    """What tracing saw of a node's result: its type, or a tuple of types."""

    types: tuple[Type, ...]

    @property
    def type(self) -> Type:
        """The type of the first result."""
        return self.types[0]


@dataclass(slots=True)
class Context:
    """The routine being filled, its random sites so far, and registers that a layer has replaced."""

    builder: Builder
    sites: int = 0
    replaced: dict[str, str] = field(default_factory=dict)

    def const(self, value: Number, dtype: DType) -> Value:
        """A scalar constant."""
        return constant(self.builder, value, dtype)

    def full(self, value: Number, type: Type) -> Value:
        """A constant of any shape."""
        return self.const(value, type.dtype).expand(*type.shape)

    def read(self, name: str) -> Value:
        """A declared register."""
        return Value(self.builder, self.builder.read(name))

    def site(self) -> int:
        """A number for the next place that draws random numbers."""
        self.sites += 1
        return self.sites - 1


Handler = Callable[..., Any]
"""(context, meta, *args, **kwargs) -> Value, or a tuple of them; args are the ATen call's, nodes replaced by values."""


def ints(value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """One number repeated, or a sequence as it is."""
    if isinstance(value, int):
        return (value,) * rank
    return tuple(value) * rank if len(value) == 1 else tuple(value)


def wrap(dim: int, rank: int) -> int:
    """A dimension counted from the front."""
    return dim % rank if rank else 0
