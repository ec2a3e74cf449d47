"""A store behind a URL that fsspec opens: object stores, other machines, memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec

from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.storage import Buffer


class RemoteStorage:
    """Blobs of a store that fsspec opens."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.fs, self.path = _opened(url)
        key = hashlib.sha256(url.encode()).hexdigest()[:16]
        self.spool = Path(tempfile.gettempdir()) / f"ontogeny-spool-{key}"

    def folders(self) -> list[str]:
        """The folders within."""
        try:
            found = self.fs.ls(self.path, detail=True)
        except FileNotFoundError:
            return []
        return sorted(e["name"].rstrip("/").rsplit("/", 1)[-1] for e in found if e["type"] == "directory")

    def names(self) -> dict[str, int]:
        """All blobs with their sizes."""
        self.fs.invalidate_cache(self.path)
        try:
            found = self.fs.ls(self.path, detail=True)
        except FileNotFoundError:
            return {}
        return {e["name"].rsplit("/", 1)[-1]: int(e["size"]) for e in found if e["type"] == "file"}

    def read(self, name: str, start: int, size: int) -> bytes:
        """Part of a blob."""
        try:
            found: bytes = self.fs.cat_file(f"{self.path}/{name}", start=start, end=start + size)
        except (OSError, ValueError) as error:
            raise RecordError(f"reading {self.url}/{name} failed: {error}") from error
        return found

    def put(self, name: str, parts: Iterable[Buffer]) -> None:
        """A blob, written by one upload."""
        try:
            self.fs.makedirs(self.path, exist_ok=True)
            with self.fs.open(f"{self.path}/{name}", "wb") as file:
                for part in parts:
                    file.write(part)
        except OSError as error:
            self._forget(name)
            raise RecordError(f"writing {self.url}/{name} failed: {error}; the rows wait in {self.spool}") from error

    def _forget(self, name: str) -> None:
        """Takes away what a failed upload may have left."""
        with suppress(OSError):
            self.remove(name)

    def remove(self, name: str) -> None:
        """Removes a blob."""
        if name in self.names():
            self.fs.rm_file(f"{self.path}/{name}")


def _opened(url: str) -> tuple[Any, str]:
    try:
        fs, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise RecordError(f"{url} cannot be opened: {error}") from error
    return fs, path.rstrip("/")
