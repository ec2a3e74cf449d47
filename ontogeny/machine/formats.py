"""The language's number formats as NumPy's.

bf16 comes from `ml_dtypes`. A value of any wider format becomes f16 or bf16 by way of f32, as torch does it: an f64 or
a large integer is therefore rounded twice, and may differ in the last bit from one correct rounding.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from ontogeny.isa.types import DType, Type
from ontogeny.machine.learner import Array

NUMPY: dict[DType, np.dtype[Any]] = {
    DType.F16: np.dtype(np.float16),
    DType.BF16: np.dtype(ml_dtypes.bfloat16),
    DType.F32: np.dtype(np.float32),
    DType.F64: np.dtype(np.float64),
    DType.I8: np.dtype(np.int8),
    DType.I16: np.dtype(np.int16),
    DType.I32: np.dtype(np.int32),
    DType.I64: np.dtype(np.int64),
    DType.U8: np.dtype(np.uint8),
    DType.U16: np.dtype(np.uint16),
    DType.U32: np.dtype(np.uint32),
    DType.U64: np.dtype(np.uint64),
    DType.BOOL: np.dtype(np.bool_),
}
DTYPES: dict[np.dtype[Any], DType] = {numpy: dtype for dtype, numpy in NUMPY.items()}
HALVES = frozenset({NUMPY[DType.F16], NUMPY[DType.BF16]})


def type_of(array: Array) -> Type:
    """The type of an array. Raises KeyError for a NumPy format that the language does not have."""
    return Type(DTYPES[array.dtype], array.shape)


def converted(value: Any, dtype: DType) -> Array:
    """Numbers as an array of `dtype` by NumPy's conversion, f16 and bf16 by way of f32; for values in its range."""
    target = NUMPY[dtype]
    if target in HALVES:
        value = np.asarray(value, dtype=np.float32)
    return np.asarray(value).astype(target) if isinstance(value, np.ndarray) else np.array(value, dtype=target)
