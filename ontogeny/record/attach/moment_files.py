"""Moments that were streamed while a model trained, on the disk: a safetensors file for each window; no torch here.

A recording that was gone on with has a file for each session; read together, they are the moments of all its steps.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import disk, replace_file
from ontogeny.record.moments import Moments, TensorMoments
from ontogeny.record.trace.layout import Tensor

FOLDER = "moments"
SUFFIX = ".safetensors"
PARTS = ("mean", "m2", "m3", "m4")


@dataclass(frozen=True, slots=True)
class Online:
    """The moments of steps: the first update starts from step `first`, and `last` is the last that was observed."""

    first: int
    last: int
    tensors: tuple[TensorMoments, ...]


def write(folder: Path, found: Online) -> Path:
    """Writes the moments of a window beneath a folder; its path. Raises RecordError where the disk fails."""
    path = folder / FOLDER / f"{found.first:012d}{SUFFIX}"
    with disk("making", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    about, arrays = [], {}
    for item in found.tensors:
        tensor = item.tensor
        counts = [item.values.count, item.updates.count]
        about.append({**tensor.as_json(), "counts": counts})
        for over in ("values", "updates"):
            arrays[f"{tensor.name}/{over}"] = np.stack([getattr(item.of(over), part) for part in PARTS])
    header = {"content": json.dumps({"first": found.first, "last": found.last, "tensors": about})}
    replace_file(path, save(arrays, header))
    return path


def read(folder: Path) -> Online:
    """The moments of all windows that lie beneath a folder, together.

    Raises RecordError where there is none, one is damaged, they overlap, or a tensor has another shape in one of them.
    """
    paths = sorted((folder / FOLDER).glob(f"*{SUFFIX}"))
    if not paths:
        raise RecordError(
            f"{folder} has no moments of a run under way; og.attach(..., moments=True) keeps them, or "
            f"og.watch_moments(model) and its save(folder)"
        )
    windows = [_read(path) for path in paths]
    found = {item.tensor.name: item for item in windows[0].tensors}
    for before, window, path in zip(windows, windows[1:], paths[1:], strict=False):
        if window.first < before.last:
            raise RecordError(
                f"{path} begins at step {window.first}, within the window before it; take one of them away"
            )
        for item in window.tensors:
            known = found.get(item.tensor.name)
            found[item.tensor.name] = _together(known, item, path) if known is not None else item
    return Online(windows[0].first, windows[-1].last, tuple(found.values()))


def _read(path: Path) -> Online:
    try:
        with safe_open(path, "numpy") as file:
            header = json.loads(file.metadata()["content"])
            tensors = []
            for one in header["tensors"]:
                sums = [file.get_tensor(f"{one['name']}/{over}") for over in ("values", "updates")]
                own, moved = (Moments(count, *rows) for count, rows in zip(one["counts"], sums, strict=True))
                tensors.append(TensorMoments(Tensor.of_json(one), own, moved))
            return Online(header["first"], header["last"], tuple(tensors))
    except Exception as error:
        raise RecordError(f"the moments in {path} cannot be read: {error}") from error


def _together(one: TensorMoments, other: TensorMoments, path: Path) -> TensorMoments:
    if one.tensor.shape != other.tensor.shape:
        raise RecordError(
            f"{one.tensor.name} is {list(other.tensor.shape)} in {path} and {list(one.tensor.shape)} before; "
            f"take one of the files away"
        )
    return TensorMoments(one.tensor, one.values.merged(other.values), one.updates.merged(other.updates))
