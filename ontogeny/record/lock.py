"""One writer at a time: an advisory lock on a file in the run's folder, freed by the system when its process dies."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import disk

NAME = "lock"
TRY_EVERY = 0.05
"""Seconds between two tries of one who waits."""


class LockedError(RecordError):
    """Another process writes the run at present; whoever can wait may try again."""


class Lock:
    """Held from construction until `release`. Raises LockedError where another writer holds it."""

    def __init__(self, folder: Path) -> None:
        path, self._fd, self._owner = folder / NAME, -1, os.getpid()
        with disk("opening", path):
            self._fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
            self.release()
            raise LockedError(
                f"the run {folder} is being written by process {holder}; close it there first (run.close()), or fork it"
            ) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Lets the next writer in; releasing twice does nothing."""
        if self._fd >= 0:
            if self._owner == os.getpid():  # a forked child shares the lock, and may live on
                fcntl.flock(self._fd, fcntl.LOCK_UN)
            os.close(self._fd)
            self._fd = -1

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if not ending():  # modules go first then, and the system frees the lock
            self.release()


def patiently(write: Callable[[], object], seconds: float) -> None:
    """Writes once nobody else does. Raises LockedError where somebody still does after so many seconds."""
    ends = time.monotonic() + seconds
    while True:
        try:
            write()
            return
        except LockedError:
            if time.monotonic() > ends:
                raise
            time.sleep(TRY_EVERY)
