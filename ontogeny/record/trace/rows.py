"""A file of raw rows: the steps that wait to become a block. It is appended to at every recorded step.

A header (the layout) is followed by rows of fixed width, each with its step and the XXH3-64 of step and values, so that
a torn tail is found. A killed process loses no row that was appended; a power cut, those since the last `sync`.
"""

from __future__ import annotations

import json
import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
import xxhash

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import disk, sync_folder, write_all
from ontogeny.record.trace.layout import Layout
from ontogeny.record.trace.storage import Buffer

SUFFIX = ".rows"
MAGIC = b"ONTOROW1"
HEAD = Struct("<8sII")
ROW = Struct("<qQ")
ALIGN = 64


def name_of(step: int) -> str:
    """The file name of rows that begin at a step."""
    return f"{step:012d}{SUFFIX}"


def stride(layout: Layout) -> int:
    """Bytes from one row to the next."""
    return ROW.size + -(-layout.row_bytes // 8) * 8


def check_of(step: int, row: Buffer) -> int:
    """The checksum of a row."""
    digest = xxhash.xxh3_64(step.to_bytes(8, "little", signed=True))
    digest.update(row)
    return digest.intdigest()


class RowsFile:
    """A file of rows that is being written."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path, self.layout = path, layout
        self.count = 0
        self.first = self.last = -1
        self._stride = stride(layout)
        head = json.dumps(layout.as_json()).encode()
        self._start = -(-(HEAD.size + len(head)) // ALIGN) * ALIGN
        self._named = False
        with disk("making", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC | os.O_CLOEXEC, 0o644)
            try:
                write_all(self._fd, HEAD.pack(MAGIC, len(head), crc32(head)) + head, 0)
                os.ftruncate(self._fd, self._start)
            except OSError:
                self.close()
                path.unlink(missing_ok=True)
                raise

    def append(self, step: int, row: Buffer) -> None:
        """Adds a row of `layout.row_bytes` bytes. When it raises RecordError, the rows before it stand."""
        at = self._start + self.count * self._stride
        with disk("writing", self.path):
            try:
                write_all(self._fd, ROW.pack(step, check_of(step, row)), at)
                write_all(self._fd, row, at + ROW.size)
            except OSError:
                os.ftruncate(self._fd, at)
                raise
        self.first = step if self.count == 0 else self.first
        self.last = step
        self.count += 1

    def sync(self) -> None:
        """Makes the rows durable."""
        with disk("syncing", self.path):
            os.fsync(self._fd)
            if not self._named:
                sync_folder(self.path.parent)
            self._named = True

    def close(self) -> None:
        """Closes the file; closing twice does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@dataclass(frozen=True, slots=True)
class Rows:
    """The sound rows of a file, read through a memory map.

    `torn` bytes after the last of them are not sound, nor are `damaged` rows before it, which were sound once.
    """

    name: str
    layout: Layout
    steps: npt.NDArray[np.int64]
    torn: int
    damaged: int
    _raw: npt.NDArray[np.uint8]
    _sound: npt.NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.steps)

    def read(self, bank: int, first: int, last: int) -> npt.NDArray[Any]:
        """Lanes `first` to `last` of a bank: [rows, lanes]."""
        picked: npt.NDArray[Any] = self._all(bank)[:, first:last][self._sound]
        return picked

    def bank(self, bank: int) -> npt.NDArray[Any]:
        """All lanes of a bank: [rows, lanes], sharing the file's memory where no row is damaged."""
        return self._all(bank)[self._sound] if self.damaged else self._all(bank)

    def _all(self, bank: int) -> npt.NDArray[Any]:
        """All lanes of the rows up to the last sound one."""
        found, count = self.layout.banks[bank], self.rows + self.damaged
        if not count or not found.lanes:
            return np.empty((count, found.lanes), found.numpy)
        strides = (stride(self.layout), found.dtype.bytes)
        return np.ndarray((count, found.lanes), found.numpy, self._raw, ROW.size + found.offset, strides)


def read_rows(path: Path) -> Rows:
    """The rows of a file, each checked. Raises RecordError where the head is damaged."""
    with disk("reading", path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(HEAD.size)
        if len(head) < HEAD.size:
            raise RecordError(f"{path} is damaged: it has lost its head")
        magic, length, check = HEAD.unpack(head)
        text = file.read(length) if magic == MAGIC and length <= size else b""
        if magic != MAGIC or crc32(text) != check:
            raise RecordError(f"{path} is damaged in its head")
        layout = Layout.of_json(json.loads(text))
        start = -(-(HEAD.size + length) // ALIGN) * ALIGN
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size > start else b""
    data = memoryview(mapped)[start:]
    sound = _sound(data, layout)
    width, whole = stride(layout), int(sound[-1]) + 1 if len(sound) else 0
    steps = np.array([ROW.unpack_from(data, number * width)[0] for number in sound], np.int64)
    torn = len(data) - min(len(data), whole * width)
    return Rows(path.name, layout, steps, torn, whole - len(sound), np.frombuffer(data, np.uint8), sound)


def _sound(data: memoryview, layout: Layout) -> npt.NDArray[np.int64]:
    """The numbers of the sound rows, rising."""
    width, size = stride(layout), ROW.size + layout.row_bytes
    found = []
    for number, at in enumerate(range(0, len(data) - size + 1, width)):
        step, check = ROW.unpack_from(data, at)
        if check_of(step, data[at + ROW.size : at + size]) == check:
            found.append(number)
    return np.array(found, np.int64)
