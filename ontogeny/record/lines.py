"""Lines of JSON that prove themselves: each ends in the CRC-32 of the rest of it.

What follows the last newline is a torn tail, left by a crash in the middle of a write; a finished line whose checksum
is wrong was damaged later. The two are told apart because the first may be cut and the second may not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from ontogeny.record.disk import disk, write_all

SUFFIX = len(',"crc":"00000000"}')


def encode(content: Mapping[str, Any]) -> bytes:
    """One line. Raises ValueError for NaN, infinity and what JSON cannot say."""
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    return body[:-1] + f',"crc":"{crc32(body):08x}"}}\n'.encode()


def decode(line: bytes) -> dict[str, Any] | None:
    """The content of a line without its newline, or None where it is damaged."""
    body = line[:-SUFFIX] + b"}"
    if line[-SUFFIX:] != f',"crc":"{crc32(body):08x}"}}'.encode():
        return None
    content = json.loads(body)
    return content if isinstance(content, dict) else None


@dataclass(frozen=True, slots=True)
class Reading:
    """The sound lines from the top of a file, their end in bytes, and what stands after them."""

    contents: tuple[dict[str, Any], ...]
    ends: tuple[int, ...]
    torn: int
    damaged: int | None

    @property
    def size(self) -> int:
        """Bytes of the sound lines."""
        return self.ends[-1] if self.ends else 0


def read(path: Path) -> Reading:
    """Reads up to the first damaged line, whose number (from one) is given, or to the torn tail, which is measured."""
    with disk("reading", path):
        raw = path.read_bytes() if path.exists() else b""
    *lines, tail = raw.split(b"\n")
    contents: list[dict[str, Any]] = []
    ends: list[int] = []
    for number, line in enumerate(lines, 1):
        content = decode(line)
        if content is None:
            return Reading(tuple(contents), tuple(ends), 0, number)
        contents.append(content)
        ends.append((ends[-1] if ends else 0) + len(line) + 1)
    return Reading(tuple(contents), tuple(ends), len(tail), None)


class Appender:
    """The end of a file of lines. A line that cannot be written whole is taken back."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._pending = bytearray()
        self._synced = True
        with disk("opening", path):
            self._fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
            os.ftruncate(self._fd, size)

    def add(self, content: Mapping[str, Any]) -> int:
        """Puts a line behind the others in memory; `flush` writes them. Gives its length in bytes."""
        line = encode(content)
        self._pending += line
        return len(line)

    def flush(self, sync: bool) -> None:
        """Writes what was added. On failure the file is as before, and what was added waits for the next flush."""
        if self._pending:
            with disk("writing", self.path):
                try:
                    write_all(self._fd, bytes(self._pending), self.size)
                except OSError:
                    os.ftruncate(self._fd, self.size)
                    raise
            self.size += len(self._pending)
            self._synced = False
            self._pending.clear()
        if sync and not self._synced:
            with disk("syncing", self.path):
                os.fsync(self._fd)
            self._synced = True

    def take_back(self) -> None:
        """Forgets what was added and not written."""
        self._pending.clear()

    def close(self) -> None:
        """Closes the file; closing twice does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
