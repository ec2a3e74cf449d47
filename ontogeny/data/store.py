"""Arrays in a folder: `data.safetensors`, and `data.json` with the order of batches.

The safetensors reader for NumPy does not know bf16, so such arrays are stored as their bits (u16) and named as
bf16 in `data.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.data.canaries import Canaries, Planted
from ontogeny.isa.errors import DataError

TENSORS = "data.safetensors"
ORDER = "data.json"
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def save(data: Arrays, folder: Path | str) -> None:
    """Writes the arrays and their order into `folder`, which is made if need be."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    order = data.order
    about = {"batch_size": order.batch_size, "seed": order.seed, "shuffle": order.shuffle, "content": data.content}
    about |= {} if order.drop_last else {"drop_last": False}
    about |= {"canaries": data.canaries.as_content()} if isinstance(data, Planted) else {}
    save_tensors(data.arrays, folder / TENSORS)
    (folder / ORDER).write_text(json.dumps({**about, "bf16": bf16_names(data.arrays)}, indent=1), encoding="utf-8")


def load(folder: Path | str) -> Arrays:
    """The arrays that `save` wrote. Raises DataError where they are missing or not as they were saved."""
    folder = Path(folder)
    try:
        about = json.loads((folder / ORDER).read_text(encoding="utf-8"))
        arrays = load_tensors(folder / TENSORS, about["bf16"])
        order = {"shuffle": about["shuffle"], "drop_last": about.get("drop_last", True)}
        if "canaries" in about:
            canaries = Canaries.of(about["canaries"])
            data: Arrays = Planted(arrays, about["batch_size"], about["seed"], canaries=canaries, **order)
        else:
            data = Arrays(arrays, about["batch_size"], about["seed"], **order)
        expected = about["content"]
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise DataError(f"the data in {folder} cannot be read ({error}); pass the original dataset instead") from error
    if data.content != expected:
        raise DataError(f"the data in {folder} has changed since it was saved; pass the original dataset instead")
    return data


def save_tensors(arrays: Mapping[str, Array], path: Path) -> None:
    """Writes named arrays; bf16 as u16 bits."""
    bits = bf16_names(arrays)
    save_file({name: a.view(np.uint16) if name in bits else a for name, a in arrays.items()}, path)


def load_tensors(path: Path, bf16: list[str]) -> dict[str, Array]:
    """Reads named arrays; those named in `bf16` from their u16 bits."""
    return {name: a.view(BFLOAT16) if name in bf16 else a for name, a in load_file(path).items()}


def bf16_names(arrays: Mapping[str, Array]) -> list[str]:
    """The names of the arrays that are bf16."""
    return [name for name, array in arrays.items() if array.dtype == BFLOAT16]
