"""States of a search in files: NumPy's own archive of the arrays, the rest as JSON, and a digest that proves both.

Nothing is pickled. A file gives leaves by name; what they belong to is the structure of a state that the method begins
with, so that a file can make nothing but such a state.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ontogeny.evolve.spaces import Space
from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import disk, replace_file

Record = TypeVar("Record")
SCALARS = "scalars"


def leaves(record: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All arrays, numbers and words of a record, by their names; what all states of a search share is left out."""
    if isinstance(record, Space):
        return
    if is_dataclass(record):
        for field in fields(record):
            yield from leaves(getattr(record, field.name), f"{name}.{field.name}" if name else field.name)
    elif isinstance(record, tuple):
        for place, one in enumerate(record):
            yield from leaves(one, f"{name}.{place}")
    else:
        yield name, record.item() if isinstance(record, np.generic) else record


def digest(record: Any) -> str:
    """SHA-256 of all leaves: equal for states that are equal bit for bit."""
    found = hashlib.sha256()
    for name, leaf in leaves(record):
        if isinstance(leaf, np.ndarray):
            found.update(f"{name}:{leaf.dtype.str}{leaf.shape}".encode())
            found.update(np.ascontiguousarray(leaf).tobytes())
        else:
            found.update(f"{name}={leaf!r}".encode())
    return found.hexdigest()


def write(path: Path, record: Any) -> int:
    """Writes a state durably; bytes. Raises RecordError where it cannot be written, or holds what is no plain value."""
    all_leaves = dict(leaves(record))
    arrays = {name: leaf for name, leaf in all_leaves.items() if isinstance(leaf, np.ndarray)}
    scalars = {name: leaf for name, leaf in all_leaves.items() if name not in arrays}
    if wrong := [n for n, v in scalars.items() if not isinstance(v, int | float | str | None)] + [
        name for name, array in arrays.items() if array.dtype.hasobject
    ]:
        raise RecordError(f"{wrong[0]} of a state is no array, number or word, so it cannot be kept")
    head = json.dumps({"digest": digest(record), SCALARS: scalars}).encode()
    packed = io.BytesIO()
    members: dict[str, Any] = {SCALARS: np.frombuffer(head, np.uint8), **{f"_{name}": a for name, a in arrays.items()}}
    np.savez(packed, **members)
    replace_file(path, packed.getvalue())
    return packed.tell()


def read(path: Path, template: Record) -> Record:
    """The state of a file, in the structure of a state of the same search. RecordError where it is damaged."""
    damaged = RecordError(f"{path} is damaged; delete it, and the search goes on from the state before it")
    try:
        with disk("reading", path):
            packed = io.BytesIO(path.read_bytes())
        with np.load(packed, allow_pickle=False) as archive:
            head = json.loads(archive[SCALARS].tobytes())
            found = {name[1:]: archive[name] for name in archive.files if name != SCALARS} | head[SCALARS]
        record: Record = _filled(template, "", found)
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise damaged from error
    if digest(record) != head["digest"]:
        raise damaged
    return record


def _filled(template: Any, name: str, found: Mapping[str, Any]) -> Any:
    if isinstance(template, Space):
        return template
    if is_dataclass(template) and not isinstance(template, type):
        inner = {
            field.name: _filled(getattr(template, field.name), f"{name}.{field.name}" if name else field.name, found)
            for field in fields(template)
        }
        return replace(template, **inner)
    if isinstance(template, tuple):
        return tuple(_filled(one, f"{name}.{place}", found) for place, one in enumerate(template))
    return found[name]
