"""Moments that were streamed while a model trained, on the disk: a safetensors file for each window; no torch here.

A recording that was gone on with has a file for each session; read together, they are the moments of all its steps. Of
a sharded model each process writes a file of its own shards, whose name says of how many it is.
"""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import RecordWarning, disk, replace_file
from ontogeny.record.moments import Moments, Over, TensorMoments
from ontogeny.record.trace.layout import Tensor
from ontogeny.record.trace.sharded import whole_places

FOLDER = "moments"
NAME = re.compile(r"(\d{12})(?:-rank-\d+-of-(\d+))?\.safetensors")
PARTS = ("mean", "m2", "m3", "m4")
OVERS: tuple[Over, ...] = ("values", "updates")


@dataclass(frozen=True, slots=True)
class Online:
    """The moments of steps: the first update starts from step `first`, and `last` is the last that was observed."""

    first: int
    last: int
    tensors: tuple[TensorMoments, ...]


def write(folder: Path, found: Online, rank: int = 0, count: int = 1) -> Path:
    """Writes the moments of a window beneath a folder; its path. Those of shards are of process `rank` of `count`.

    Raises RecordError where the disk fails.
    """
    whose = f"-rank-{rank:05d}-of-{count:05d}" if count > 1 else ""
    path = folder / FOLDER / f"{found.first:012d}{whose}.safetensors"
    with disk("making", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    about, arrays = [], {}
    for item in found.tensors:
        tensor = item.tensor
        counts = [item.values.count, item.updates.count]
        about.append({**tensor.as_json(), "counts": counts})
        for over in OVERS:
            arrays[f"{tensor.name}/{over}"] = np.stack([getattr(item.of(over), part) for part in PARTS])
    header = {"content": json.dumps({"first": found.first, "last": found.last, "tensors": about})}
    replace_file(path, save(arrays, header))
    return path


def read(folder: Path) -> Online:
    """The moments of all windows that lie beneath a folder, together. Warns of one that not all processes have written.

    Raises RecordError where there is none, one is damaged, they overlap, or a tensor has another shape in one of them.
    """
    found_at = _windows(folder)
    paths, windows = [*found_at], [_whole(path, parts) for path, parts in found_at.items()]
    if not paths:
        raise RecordError(
            f"{folder} has no moments of a run under way; og.attach(..., moments=True) keeps them, or "
            f"og.watch_moments(model) and its save(folder)"
        )
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


def _windows(folder: Path) -> dict[Path, list[Path]]:
    """The files of each window, in the order of its steps and of the processes, under the first of them."""
    parts: dict[tuple[int, int], list[Path]] = {}
    for path in sorted((folder / FOLDER).glob("*.safetensors")):
        if name := NAME.fullmatch(path.name):
            parts.setdefault((int(name[1]), int(name[2] or 1)), []).append(path)
    for (first, count), paths in parts.items():
        if len(paths) < count:
            said = f"only {len(paths)} of {count} processes have written their moments from step {first} on"
            warnings.warn(f"{said} in {folder}; they are left out", RecordWarning, stacklevel=3)
    return {paths[0]: paths for (_, count), paths in sorted(parts.items()) if len(paths) == count}


def _whole(path: Path, paths: list[Path]) -> Online:
    """A window of whole tensors, put together from the shards of all processes."""
    windows = [_read(path) for path in paths]
    if len({window.last for window in windows}) > 1:
        raise RecordError(f"the processes that wrote {path} and its like ended at different steps; take them away")
    shards: dict[str, list[TensorMoments]] = {}
    for window in windows:
        for item in window.tensors:
            shards.setdefault(item.tensor.name, []).append(item)
    return Online(windows[0].first, windows[0].last, tuple(map(_joined, shards.values())))


def _joined(shards: list[TensorMoments]) -> TensorMoments:
    tensor = shards[0].tensor
    if not tensor.whole:
        return shards[0]
    whole, found = Tensor(tensor.name, tensor.dtype, tensor.whole), []
    for over in OVERS:
        sums = np.zeros((len(PARTS), whole.size))
        for shard in shards:
            sums[:, whole_places(shard.tensor)] = [getattr(shard.of(over), part) for part in PARTS]
        found.append(Moments(shards[0].of(over).count, *sums))
    return TensorMoments(whole, *found)


def _read(path: Path) -> Online:
    try:
        with safe_open(path, "numpy") as file:
            header = json.loads(file.metadata()["content"])
            tensors = []
            for one in header["tensors"]:
                sums = [file.get_tensor(f"{one['name']}/{over}") for over in OVERS]
                own, moved = (Moments(count, *rows) for count, rows in zip(one["counts"], sums, strict=True))
                tensors.append(TensorMoments(Tensor.of_json(one), own, moved))
            return Online(header["first"], header["last"], tuple(tensors))
    except Exception as error:  # what is damaged may read as anything
        raise RecordError(f"the moments in {path} cannot be read: {type(error).__name__}: {error}") from error


def _together(one: TensorMoments, other: TensorMoments, path: Path) -> TensorMoments:
    if one.tensor.shape != other.tensor.shape:
        raise RecordError(
            f"{one.tensor.name} is {list(other.tensor.shape)} in {path} and {list(one.tensor.shape)} before; "
            f"take one of the files away"
        )
    return TensorMoments(one.tensor, one.values.merged(other.values), one.updates.merged(other.updates))
