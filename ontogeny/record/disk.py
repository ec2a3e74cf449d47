"""Writing files so that a crash leaves the old or the new one, and saying plainly what went wrong when it fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ontogeny.isa.errors import RecordError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class RecordWarning(UserWarning):
    """Something about a run that its reader should know, and that did not stop it."""


@contextmanager
def disk(doing: str, path: Path) -> Iterator[None]:
    """Turns an OSError into a RecordError that says what was being done, and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            message = f"the disk is full: {doing} {path} failed. What was written before is safe; free space and go on"
        else:
            message = f"{doing} {path} failed: {error.strerror or error}. What was written before is unharmed"
        raise RecordError(message) from error


def write_all(fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Writes at `offset`, however many calls it takes."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def replace_file(path: Path, *parts: bytes, sync: bool = True) -> None:
    """Writes a whole file under a temporary name and renames it into place; with `sync`, durable when it returns."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with disk("writing", path):
            fd = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
            try:
                at = 0
                for part in parts:
                    write_all(fd, part, at)
                    at += len(part)
                if sync:
                    os.fsync(fd)
            finally:
                os.close(fd)
            os.replace(temporary, path)
            if sync:
                sync_folder(path.parent)
    except BaseException:  # nothing half written stays
        temporary.unlink(missing_ok=True)
        raise


def sync_file(path: Path) -> None:
    """Makes what was written to a file durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(folder: Path) -> None:
    """Makes renames and new names in a folder durable."""
    sync_file(folder)
