"""Examples that were added to a run: arrays in its folder under the hash of their content, written once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from safetensors import SafetensorError

from ontogeny.data.base import Array, content_hash
from ontogeny.data.store import bf16_names, load_tensors, save_tensors
from ontogeny.isa.errors import DataError
from ontogeny.record.composition import Added
from ontogeny.record.disk import disk, sync_file, sync_folder

FOLDER = "added"


def keep(folder: Path, arrays: Mapping[str, Array]) -> None:
    """Writes arrays into a run's folder, durably, where they are not there yet."""
    path = _path(folder, content_hash(arrays))
    with disk("writing", path):
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            temporary = path.with_suffix(".tmp")
            save_tensors(arrays, temporary)
            sync_file(temporary)
            temporary.replace(path)
            sync_folder(path.parent)
            sync_folder(folder)


def find(folders: Iterable[Path], added: Added) -> dict[str, Array]:
    """The arrays of an entry, from the first folder that has them. DataError where they are missing or damaged."""
    paths = [path for folder in folders if (path := _path(folder, added.content)).exists()]
    last = added.first + added.count - 1
    if not paths:
        raise DataError(f"the examples {added.first} to {last} are in no folder of the run ({added.content})")
    try:
        arrays = load_tensors(paths[0], list(added.bf16))
    except (OSError, SafetensorError) as error:
        raise DataError(f"the examples {added.first} to {last} in {paths[0]} cannot be read: {error}") from error
    if content_hash(arrays) != added.content:
        raise DataError(f"{paths[0]} has been changed since its examples were added; put it back")
    return arrays


def described(arrays: Mapping[str, Array]) -> dict[str, object]:
    """What an entry says of its arrays."""
    return {"content": content_hash(arrays), "bf16": bf16_names(arrays)}


def _path(folder: Path, content: str) -> Path:
    return folder / FOLDER / f"{content}.safetensors"
