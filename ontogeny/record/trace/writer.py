"""Writing a store: rows as they come, a block whenever enough of them have gathered.

A block is made on a thread of its own while further rows come; at most one waits, so memory and disk stay bounded.
What a crash left is taken up on opening: sound rows become a block, a torn tail is cut and said.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import RecordWarning, disk
from ontogeny.record.lock import Lock
from ontogeny.record.trace import block, rows
from ontogeny.record.trace.background import Background
from ontogeny.record.trace.layout import Layout
from ontogeny.record.trace.storage import Buffer, Storage, storage_of

DEPTH = 64
SPOOL_BYTES = 1 << 32
SHALLOWEST = 8


def depth_of(layout: Layout, depth: int = DEPTH, spool_bytes: int = SPOOL_BYTES) -> int:
    """How many rows make a block."""
    return max(SHALLOWEST, min(depth, spool_bytes // max(1, layout.row_bytes)))


class TraceWriter:
    """The one writer of a store. Raises RecordError where another holds it.

    `depth` rows make a block, fewer where so many would take more than `spool_bytes` on the disk before they are coded.
    """

    def __init__(self, place: Path | str | Storage, *, depth: int = DEPTH, spool_bytes: int = SPOOL_BYTES) -> None:
        self.storage = storage_of(place) if isinstance(place, Path | str) else place
        with disk("making", self.storage.spool):
            self.storage.spool.mkdir(parents=True, exist_ok=True)
        self._lock = Lock(self.storage.spool)
        self._depth, self._spool_bytes = depth, spool_bytes
        self._rows: rows.RowsFile | None = None
        try:
            for path in sorted(self.storage.spool.glob(f"*{rows.SUFFIX}")):
                self._take_up(path)
            ends = [block.span_of(name)[1] for name in self.storage.names() if name.endswith(block.SUFFIX)]
        except BaseException:  # nobody is left who would release it
            self._lock.release()
            raise
        self.last = max(ends, default=-1)
        self._background = Background("ontogeny-blocks")

    def append(self, layout: Layout, step: int, row: Buffer) -> None:
        """Adds the row of a step, later than all before it. Another layout than the last row's begins a new block."""
        if step <= self.last:
            raise RecordError(f"step {step} cannot be recorded after step {self.last}; steps only rise")
        if self._rows is not None and layout != self._rows.layout:
            self._rotate()
        if self._rows is None:
            self._rows = rows.RowsFile(self.storage.spool / rows.name_of(step), layout)
        self._rows.append(step, row)
        self.last = step
        if self._rows.count >= depth_of(layout, self._depth, self._spool_bytes):
            self._rotate()

    def sync(self) -> None:
        """Makes the appended rows durable."""
        if self._rows is not None:
            self._rows.sync()

    def close(self) -> None:
        """Codes what waits and lets go of the store."""
        try:
            self._rotate()
            self._background.settle()
        finally:
            self._background.stop()
            self._lock.release()

    def abandon(self) -> None:
        """Lets go of the store as it stands, after a failure; the next writer takes it up."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None
        self._background.stop()
        self._lock.release()

    def _rotate(self) -> None:
        if self._rows is None:
            return
        self._background.settle()
        path = self._rows.path
        self._rows.close()
        self._rows = None
        self._background.begin(lambda: code(self.storage, path))

    def _take_up(self, path: Path) -> None:
        """What a crash left: rows that have a block already, or not yet, or a head that was never finished."""
        try:
            found = rows.read_rows(path)
        except RecordError as error:
            aside = path.with_suffix(".damaged")
            os.replace(path, aside)
            warnings.warn(f"{error}; it has been put aside as {aside.name}", RecordWarning, stacklevel=3)
            return
        if found.torn:
            last = found.steps[-1] if found.rows else "the one before"
            said = f"{path} ends in a torn row ({found.torn} bytes) after step {last}; it has been cut"
            warnings.warn(said, RecordWarning, stacklevel=3)
        with disk("cutting", path):
            os.truncate(path, path.stat().st_size - found.torn)
        code(self.storage, path)


def code(storage: Storage, path: Path) -> None:
    """Makes the block of a file of rows, then removes the rows."""
    found = rows.read_rows(path)
    if found.damaged:
        said = f"{found.damaged} of the {found.rows + found.damaged} rows in {path} are damaged and have been left out"
        warnings.warn(said, RecordWarning, stacklevel=2)
    if found.rows:
        banks = [found.bank(number) for number in range(len(found.layout.banks))]
        storage.put(block.name_of(found.steps), block.encoded(found.layout, found.steps, banks))
    path.unlink()


def appended(place: Path | str, layout: Layout, steps: Sequence[int], values: Sequence[Buffer]) -> None:
    """Writes rows into a store and closes it."""
    writer = TraceWriter(place)
    for step, row in zip(steps, values, strict=True):
        writer.append(layout, step, row)
    writer.close()
