"""The background side of recording: rows and metrics go to the disk on a thread of their own, in bounded memory.

The loop hands over a filled buffer and goes on; when all buffers are under way it waits for one, and the time that it
waited is counted. An error on the thread is raised in the loop at the next step, and nothing written before is harmed.
"""

from __future__ import annotations

import atexit
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Full, Queue, SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

from ontogeny.isa.errors import RecordError
from ontogeny.record import lines
from ontogeny.record.disk import disk
from ontogeny.record.trace.layout import Layout
from ontogeny.record.trace.storage import Buffer
from ontogeny.record.trace.writer import TraceWriter

SYNC_SECONDS = 1.0
B = TypeVar("B")
Raw = Callable[[B], Buffer]


class Pool(Generic[B]):
    """A fixed number of buffers of one layout, each taken by the loop and given back by the thread."""

    def __init__(self, layout: Layout, make: Callable[[], B], count: int) -> None:
        self.layout = layout
        self._free: Queue[B] = Queue(count)
        for _ in range(count):
            self._free.put(make())

    def take(self, wait: float) -> B | None:
        """A free buffer, or None where there is none within `wait` seconds."""
        try:
            return self._free.get(timeout=wait) if wait else self._free.get_nowait()
        except Empty:
            return None

    def give_back(self, buffer: B) -> None:
        """The buffer may be filled again."""
        try:
            self._free.put_nowait(buffer)
        except Full:
            raise RecordError("a buffer was given back twice") from None


@dataclass(frozen=True, slots=True)
class Job(Generic[B]):
    """One row to be written, or (without a pool) something else to be done on the thread, or with neither, the end."""

    step: int = 0
    metrics: Mapping[str, float] | None = None
    pool: Pool[B] | None = None
    buffer: B | None = None
    task: Callable[[], object] | None = None


class Recorder(Generic[B]):
    """Writes one store and one file of metrics. `raw` gives the bytes of a filled buffer."""

    def __init__(self, place: Path | str, metrics: Path, raw: Raw[B]) -> None:
        self._writer = TraceWriter(place)
        self._raw = raw
        try:
            self._lines = lines.Appender(metrics, lines.read(metrics).size)
        except BaseException:
            self._writer.abandon()
            raise
        self.waited = 0.0
        self._jobs: SimpleQueue[Job[B]] = SimpleQueue()
        self._error: BaseException | None = None
        self._synced = time.monotonic()
        self._thread: Thread | None = Thread(target=self._work, name="ontogeny-recorder", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def last(self) -> int:
        """The last step that was in the store when it was opened, or has been written since; -1 for none."""
        return self._writer.last

    def buffer(self, pool: Pool[B], wait: bool) -> B | None:
        """A free buffer; where there is none, waits for one and counts the time, or gives None."""
        self.check()
        found = pool.take(0.0)
        if found is not None or not wait:
            return found
        started = time.perf_counter()
        while found is None:
            self.check()
            found = pool.take(0.05)
        self.waited += time.perf_counter() - started
        return found

    def put(self, job: Job[B]) -> None:
        """Hands a job to the thread."""
        self.check()
        self._jobs.put(job)

    def check(self) -> None:
        """Raises what went wrong on the thread, once it has."""
        if self._error is not None:
            raise RecordError(f"recording stopped: {self._error}") from self._error
        if self._thread is None:
            raise RecordError("this recording is closed")

    def close(self) -> None:
        """Waits until everything is written. Raises what went wrong; closing twice does nothing."""
        if self._thread is None:
            return
        atexit.unregister(self.close)
        self._jobs.put(Job())
        self._thread.join()
        self._thread = None
        try:
            if self._error is None:
                self._lines.flush(sync=True)
                self._writer.close()
            else:
                self._writer.abandon()
                raise RecordError(f"recording stopped: {self._error}") from self._error
        finally:
            self._lines.close()

    def _work(self) -> None:
        while (job := self._jobs.get()).pool is not None or job.task is not None:
            try:
                if self._error is None:
                    self._do(job)
            except BaseException as error:
                self._error = error
            finally:
                if job.pool is not None and job.buffer is not None:
                    job.pool.give_back(job.buffer)

    def _do(self, job: Job[B]) -> None:
        if job.task is not None:
            job.task()
        if job.pool is not None and job.buffer is not None:
            self._writer.append(job.pool.layout, job.step, self._raw(job.buffer))
        if job.metrics:
            self._lines.add({"step": job.step, **{name: _plain(value) for name, value in job.metrics.items()}})
            self._lines.flush(sync=False)
        if time.monotonic() - self._synced > SYNC_SECONDS:
            with disk("syncing", self._lines.path):
                self._lines.flush(sync=True)
            self._writer.sync()
            self._synced = time.monotonic()


def _plain(value: float) -> Any:
    """A number as JSON has it; those that it has not, as words."""
    return value if math.isfinite(value) else str(value)
