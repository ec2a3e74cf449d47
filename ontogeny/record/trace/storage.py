"""Where a store lies: a local folder, or any URL that fsspec knows (`s3://`, `gs://`, `memory://`, ...).

A blob appears whole under its name or not at all. Rows that wait to become a block always lie in a local folder, since
object stores cannot append: for a URL, in a spool folder of this machine, which is found again by the URL.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Protocol

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import disk, sync_folder

Buffer = bytes | bytearray | memoryview


class Storage(Protocol):
    """Named blobs that are written once."""

    spool: Path

    def names(self) -> dict[str, int]:
        """All blobs with their sizes in bytes."""

    def folders(self) -> list[str]:
        """The names of what stores there are within this one, sorted."""

    def read(self, name: str, start: int, size: int) -> bytes:
        """`size` bytes of a blob from `start` on, fewer at its end."""

    def put(self, name: str, parts: Iterable[Buffer]) -> None:
        """A new blob, durable when this returns. Raises RecordError, and leaves nothing under the name, on failure."""

    def remove(self, name: str) -> None:
        """Removes a blob, or does nothing where there is none."""


class LocalStorage:
    """Blobs as files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = self.spool = folder

    def names(self) -> dict[str, int]:
        """All files with their sizes."""
        if not self.folder.is_dir():
            return {}
        with disk("reading", self.folder), os.scandir(self.folder) as entries:
            sizes = {entry.name: _size_of(entry) for entry in entries if not entry.name.startswith(".")}
        return {name: size for name, size in sizes.items() if size is not None}

    def folders(self) -> list[str]:
        """The folders within."""
        return sorted(path.name for path in self.folder.iterdir() if path.is_dir()) if self.folder.is_dir() else []

    def read(self, name: str, start: int, size: int) -> bytes:
        """Part of a file."""
        with disk("reading", self.folder / name):
            fd = os.open(self.folder / name, os.O_RDONLY)
            try:
                return os.pread(fd, size, start)
            finally:
                os.close(fd)

    def put(self, name: str, parts: Iterable[Buffer]) -> None:
        """A file, written under a temporary name, synced and renamed."""
        temporary = self.folder / f".{name}.tmp"
        try:
            with disk("writing", self.folder / name):
                self.folder.mkdir(parents=True, exist_ok=True)
                with temporary.open("wb") as file:
                    file.writelines(parts)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, self.folder / name)
                sync_folder(self.folder)
        except BaseException:  # nothing half written stays
            temporary.unlink(missing_ok=True)
            raise

    def remove(self, name: str) -> None:
        """Removes a file."""
        with disk("removing", self.folder / name):
            (self.folder / name).unlink(missing_ok=True)


def _size_of(entry: os.DirEntry[str]) -> int | None:
    """Bytes of a file; None for what is none, or was taken away by its writer since it was listed."""
    try:
        return entry.stat().st_size if entry.is_file() else None
    except FileNotFoundError:
        return None


def storage_of(place: Path | str) -> Storage:
    """The storage of a folder or URL."""
    if isinstance(place, str) and "://" in place:
        try:
            remote = import_module("ontogeny.record.trace.remote")
        except ImportError as error:
            raise RecordError(f"{place} needs fsspec: pip install 'ontogeny[remote]'") from error
        found: Storage = remote.RemoteStorage(place)
        return found
    return LocalStorage(Path(place))
