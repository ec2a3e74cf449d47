"""Nested Python values with tensors in them, as JSON and a list of tensors, and back. Nothing is pickled.

Known are: dictionaries with string, integer or float keys, lists, tuples, tensors, NumPy arrays, numbers, strings,
booleans, None: what optimizers, schedulers and random generators keep.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ontogeny.isa.errors import RecordError


def packed(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """JSON of a value; its tensors are put into `tensors` as copies, and named in the JSON."""
    if isinstance(value, torch.Tensor | np.ndarray):
        name = str(len(tensors))
        tensors[name] = torch.as_tensor(value).detach().cpu().clone().contiguous()
        return {"numpy" if isinstance(value, np.ndarray) else "tensor": name}
    if isinstance(value, dict):
        return {"dict": [[packed(k, tensors), packed(v, tensors)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [packed(item, tensors) for item in value]}
    if isinstance(value, np.generic):
        return packed(value.item(), tensors)
    if isinstance(value, float):
        return {"float": value.hex()}
    if value is None or isinstance(value, bool | int | str):
        return value
    raise RecordError(f"a {type(value).__name__} cannot be kept in a checkpoint; only plain values and tensors can")


def unpacked(found: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """The value that `packed` wrote."""
    if not isinstance(found, dict):
        return found
    ((kind, content),) = found.items()
    if kind == "tensor":
        return tensors[content].clone()
    if kind == "numpy":
        return tensors[content].numpy().copy()
    if kind == "float":
        return float.fromhex(content)
    if kind == "dict":
        return {unpacked(k, tensors): unpacked(v, tensors) for k, v in content}
    items = [unpacked(item, tensors) for item in content]
    return tuple(items) if kind == "tuple" else items
