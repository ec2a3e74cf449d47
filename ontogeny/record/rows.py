"""One row per step in two files of fixed width: `hashes.bin`, and `metrics.bin`, whose rows end in a checksum of both.

Rows wait in memory until `flush`; a crash loses only rows that replay makes again. The checksum covers the step, its
hash row and its metrics, so a tail of rubbish, as after a power cut, is found and cut.
"""

from __future__ import annotations

import os
from pathlib import Path
from struct import Struct
from zlib import crc32

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import disk, write_all

HASHES = "hashes.bin"
METRICS = "metrics.bin"
STEP = Struct("<q")
CHECK = Struct("<I")


class Rows:
    """The rows of steps `base` + 1 and on. Reading needs no lock; `open_for_writing` comes before `append`."""

    def __init__(self, folder: Path, base: int, hash_width: int, metrics: tuple[str, ...]) -> None:
        self.base = base
        self.names = metrics
        self._hash_width = hash_width
        self._values = Struct(f"<{len(metrics)}d")
        self._width = self._values.size + CHECK.size
        self._hash_path, self._metric_path = folder / HASHES, folder / METRICS
        self._hashes, self._metrics = bytearray(), bytearray()
        self._fds: tuple[int, int] | None = None
        self._synced = True
        self.reload()

    def reload(self) -> None:
        """Counts the sound rows on the disk; rows that wait in memory are forgotten."""
        self._hashes.clear()
        self._metrics.clear()
        sizes = [path.stat().st_size if path.exists() else 0 for path in (self._hash_path, self._metric_path)]
        self._written = min(sizes[0] // self._hash_width, sizes[1] // self._width)
        longest = max(-(-sizes[0] // self._hash_width), -(-sizes[1] // self._width))
        while self._written and not self.sound(self.last):
            self._written -= 1
        self.lost = longest - self._written

    @property
    def last(self) -> int:
        """The last step that has a row, or `base`."""
        return self.base + self._written + len(self._metrics) // self._width

    def open_for_writing(self) -> None:
        """Cuts what follows the last sound row, and gets ready to append."""
        opened: list[int] = []
        for path, width in ((self._hash_path, self._hash_width), (self._metric_path, self._width)):
            with disk("opening", path):
                opened.append(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644))
                os.ftruncate(opened[-1], self._written * width)
        self._fds = opened[0], opened[1]
        self.lost = 0

    def append(self, hash_row: bytes, values: tuple[float, ...]) -> None:
        """Adds the row of step `last` + 1 in memory."""
        packed = self._values.pack(*values)
        check = crc32(packed, crc32(hash_row, crc32(STEP.pack(self.last + 1))))
        self._hashes += hash_row
        self._metrics += packed + CHECK.pack(check)

    def repair(self) -> None:
        """Makes the waiting rows whole again after an interruption at any point of `append`."""
        count = min(len(self._hashes) // self._hash_width, len(self._metrics) // self._width)
        del self._hashes[count * self._hash_width :], self._metrics[count * self._width :]

    def flush(self, sync: bool) -> None:
        """Writes the waiting rows. When it raises they wait on, and nothing that was written before is harmed."""
        if self._fds is None:
            return
        if self._metrics:
            with disk("writing", self._hash_path):
                write_all(self._fds[0], bytes(self._hashes), self._written * self._hash_width)
            with disk("writing", self._metric_path):
                write_all(self._fds[1], bytes(self._metrics), self._written * self._width)
            self._written += len(self._metrics) // self._width
            self._synced = False
            self._hashes.clear()
            self._metrics.clear()
        if sync and not self._synced:
            with disk("syncing", self._hash_path):
                os.fsync(self._fds[0])
                os.fsync(self._fds[1])
            self._synced = True

    def hash_row(self, step: int) -> bytes | None:
        """The hash row of a step, or None where there is none."""
        raw = self._read(self._hash_path, self._hashes, self._hash_width, step, step)
        return raw or None

    def hashes(self, first: int, last: int) -> npt.NDArray[np.uint64]:
        """The 64 bits of the whole state in the rows of the steps `first` to `last`."""
        row = np.dtype([("whole", "<u8"), ("tags", f"V{self._hash_width - 8}")])
        raw = self._read(self._hash_path, self._hashes, self._hash_width, first, last)
        return np.frombuffer(raw, row)["whole"].astype(np.uint64)

    def values(self, first: int, last: int) -> npt.NDArray[np.float64]:
        """Metrics of steps `first` to `last`, f64[steps, metrics]."""
        count = len(self.names)
        row = np.dtype([("values", "<f8", (count,)), ("check", "<u4")])
        raw = self._read(self._metric_path, self._metrics, self._width, first, last)
        return np.ascontiguousarray(np.frombuffer(raw, row)["values"]).reshape(-1, count)

    def sound(self, step: int) -> bool:
        """Whether the checksum of a step's rows holds."""
        hash_row = self._read(self._hash_path, self._hashes, self._hash_width, step, step)
        metric = self._read(self._metric_path, self._metrics, self._width, step, step)
        return CHECK.pack(crc32(metric[:-4], crc32(hash_row, crc32(STEP.pack(step))))) == metric[-4:]

    def close(self) -> None:
        """Stops writing; waiting rows are not written."""
        for fd in self._fds or ():
            os.close(fd)
        self._fds = None

    def _read(self, path: Path, waiting: bytearray, width: int, first: int, last: int) -> bytes:
        first, last = max(first, self.base + 1), min(last, self.last)
        low, high = first - self.base - 1, last - self.base
        if low >= high:
            return b""
        raw = b""
        if low < self._written:
            with disk("reading", path), path.open("rb") as file:
                file.seek(low * width)
                raw = file.read((min(high, self._written) - low) * width)
            if len(raw) != (min(high, self._written) - low) * width:
                raise RecordError(f"{path} became shorter while it was read; open the run again")
        start = max(low - self._written, 0)
        return raw + bytes(waiting[start * width : max(high - self._written, 0) * width])
