"""Between NumPy arrays and torch tensors, without copying where the formats allow it."""

from __future__ import annotations

import numpy as np
import torch

from ontogeny.isa.types import DType
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array

TORCH: dict[DType, torch.dtype] = {
    DType.F16: torch.float16,
    DType.BF16: torch.bfloat16,
    DType.F32: torch.float32,
    DType.F64: torch.float64,
    DType.I8: torch.int8,
    DType.I16: torch.int16,
    DType.I32: torch.int32,
    DType.I64: torch.int64,
    DType.U8: torch.uint8,
    DType.U16: torch.uint16,
    DType.U32: torch.uint32,
    DType.U64: torch.uint64,
    DType.BOOL: torch.bool,
}
BACK: dict[torch.dtype, DType] = {torch_type: dtype for dtype, torch_type in TORCH.items()}


def to_torch(array: Array, dtype: DType, device: str = "cpu") -> torch.Tensor:
    """A tensor of an array; it shares memory on the CPU when the array is contiguous and writable."""
    if not array.flags.writeable or not array.flags.c_contiguous:
        array = array.copy(order="C")
    if dtype is DType.BF16:
        return torch.from_numpy(array.view(np.uint16)).view(torch.bfloat16).to(device)
    return torch.from_numpy(array).to(device)


def to_numpy(tensor: torch.Tensor) -> Array:
    """An array of a tensor; it shares memory with a contiguous tensor on the CPU."""
    if tensor.dtype == torch.bfloat16:
        return tensor.detach().cpu().contiguous().view(torch.uint16).numpy().view(NUMPY[DType.BF16])
    return tensor.numpy(force=True)
