"""The types of values: a number format and a shape.

A shape is a tuple of known sizes; a scalar has the empty shape. A size may be a `Size`, which follows one of the
program's own sizes such as the batch: a number like any other here, and `isa.resize` makes the program of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import prod

MAX_RANK = 16
MAX_ELEMENTS = 1 << 40


class DType(Enum):
    """A number format: its name in the text form, its family, and its width in bytes."""

    F16 = "f16"
    BF16 = "bf16"
    F32 = "f32"
    F64 = "f64"
    I8 = "i8"
    I16 = "i16"
    I32 = "i32"
    I64 = "i64"
    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    BOOL = "bool"

    @property
    def bytes(self) -> int:
        """Bytes of one element in memory."""
        return 1 if self is DType.BOOL else int(self.value.lstrip("bfiu")) // 8

    @property
    def is_float(self) -> bool:
        """Whether this is a floating-point format."""
        return self in FLOATS

    @property
    def is_int(self) -> bool:
        """Whether this is an integer format, signed or not; `bool` is neither."""
        return self in SIGNED or self in UNSIGNED

    def __str__(self) -> str:
        return self.value


FLOATS = frozenset({DType.F16, DType.BF16, DType.F32, DType.F64})
SIGNED = frozenset({DType.I8, DType.I16, DType.I32, DType.I64})
UNSIGNED = frozenset({DType.U8, DType.U16, DType.U32, DType.U64})


@dataclass(frozen=True, slots=True)
class Type:
    """What a value is: `f32[64,128]`; a scalar is `f32[]`."""

    dtype: DType
    shape: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes of the whole value."""
        return self.size * self.dtype.bytes

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def with_shape(self, shape: tuple[int, ...]) -> Type:
        """The same number format in another shape."""
        return Type(self.dtype, tuple(shape))

    def with_dtype(self, dtype: DType) -> Type:
        """The same shape in another number format."""
        return Type(dtype, self.shape)

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape by NumPy's rule: aligned at the right, a size of one stretches.

    Raises ValueError when two sizes differ and neither is one.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    common = [1] * rank
    for shape in shapes:
        for place, size in enumerate(shape, rank - len(shape)):
            if size != common[place] and size != 1:
                if common[place] != 1:
                    raise ValueError(f"shapes {', '.join(map(str, shapes))} do not broadcast together")
                common[place] = size
    return tuple(common)
