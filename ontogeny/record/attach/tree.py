"""Nested Python values with tensors in them, as JSON and a list of tensors, and back. Nothing is pickled.

Known are: dictionaries with string, integer or float keys, lists, tuples, tensors, NumPy arrays, numbers, strings,
booleans, None: what optimizers, schedulers and random generators keep. Of a tensor that is spread over processes it is
the part that lies in this one, with what the whole is like; coming back it is spread over the same processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Placement, Replicate, Shard

from ontogeny.isa.errors import RecordError

Meshes = Sequence[DeviceMesh]


def packed(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """JSON of a value; its tensors are put into `tensors` as copies, and named in the JSON."""
    if isinstance(value, DTensor):
        placed = [_placed(placement) for placement in value.placements]
        part = packed(value.to_local(), tensors)["tensor"]
        return {"shard": [part, placed, list(value.shape), list(value.stride()), _known(value.device_mesh)]}
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


def unpacked(found: Any, tensors: dict[str, torch.Tensor], meshes: Meshes = ()) -> Any:
    """The value that `packed` wrote. `meshes` are those that tensors are spread over now."""
    if not isinstance(found, dict):
        return found
    ((kind, content),) = found.items()
    if kind == "tensor":
        return tensors[content].clone()
    if kind == "shard":
        return _spread(content, tensors, meshes)
    if kind == "numpy":
        return tensors[content].numpy().copy()
    if kind == "float":
        return float.fromhex(content)
    if kind == "dict":
        return {unpacked(k, tensors, meshes): unpacked(v, tensors, meshes) for k, v in content}
    items = [unpacked(item, tensors, meshes) for item in content]
    return tuple(items) if kind == "tuple" else items


def meshes_of(values: Iterable[torch.Tensor]) -> Meshes:
    """The meshes that tensors are spread over."""
    return list({id(value.device_mesh): value.device_mesh for value in values if isinstance(value, DTensor)}.values())


def _known(mesh: DeviceMesh) -> list[Any]:
    """What a mesh is known by: the names of its dimensions, and the ranks of its processes."""
    names = mesh.mesh_dim_names
    return [None if names is None else list(names), mesh.mesh.tolist()]


def _placed(placement: Placement) -> int | None:
    """The dimension that a tensor is cut along, None where each process has it whole."""
    if type(placement) not in (Shard, Replicate):
        raise RecordError(f"a tensor is spread over processes as {placement}; only Shard and Replicate can be kept")
    return placement.dim if isinstance(placement, Shard) else None


def _spread(found: Any, tensors: dict[str, torch.Tensor], meshes: Meshes) -> DTensor:
    """A tensor whose part in this process was kept."""
    part, placed, shape, stride, known = found
    mesh = next((mesh for mesh in meshes if _known(mesh) == known), None)
    if mesh is None:
        raise RecordError(f"it was kept of a model that is spread over the processes {known[1]}; spread it like that")
    placements = [Replicate() if dim is None else Shard(dim) for dim in placed]
    local = tensors[part].clone().to(mesh.device_type)
    whole = torch.Size(shape)
    return DTensor.from_local(local, mesh, placements, run_check=False, shape=whole, stride=tuple(stride))
