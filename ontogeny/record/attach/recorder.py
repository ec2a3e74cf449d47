"""The background side of recording: rows and metrics go to the disk on a thread of their own, in bounded memory.

The loop hands over a filled buffer and goes on; when all buffers are under way it waits for one, and the time that it
waited is counted. An error on the thread is raised in the loop at the next step, and nothing written before is harmed.
A forked child has the recorder but not its thread: there it does nothing.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Generic, NamedTuple, TypeVar

from ontogeny.isa.errors import RecordError
from ontogeny.record.attach import metrics
from ontogeny.record.disk import disk
from ontogeny.record.trace.layout import Layout
from ontogeny.record.trace.storage import Buffer
from ontogeny.record.trace.writer import TraceWriter

SYNC_SECONDS = 1.0
MOST_JOBS = 4096
"""Steps of which only scalars are told may be so many ahead of the disk."""
POLL = 0.02
B = TypeVar("B")
W = TypeVar("W")
Raw = Callable[[Layout, B], Buffer]
Task = Callable[[], object]


class Pool(Generic[B]):
    """At most `count` buffers of one layout, each taken by the loop and given back by the thread; made when needed."""

    def __init__(self, layout: Layout, make: Callable[[], B], count: int) -> None:
        self.layout, self.count = layout, count
        self.made = 0
        self._make = make
        self._free: deque[B] = deque()  # a stack: the last one used is still in the processor's cache

    def take(self) -> B | None:
        """A free buffer, or None where all are under way."""
        try:
            return self._free.pop()
        except IndexError:
            if self.made == self.count:
                return None
        self.made += 1
        return self._make()

    def give_back(self, buffer: B) -> None:
        """The buffer may be filled again."""
        self._free.append(buffer)


class Job(NamedTuple, Generic[B]):
    """A step to be written: its row, if it has one, and its scalars; or something else to be done on the thread."""

    step: int
    told: Mapping[str, float] = {}
    pool: Pool[B] | None = None
    buffer: B | None = None
    task: Task | None = None


class Recorder(Generic[B]):
    """Writes one store and one file of scalars. `raw` gives the bytes of a filled buffer."""

    def __init__(self, place: Path | str, told: Path, raw: Raw[B]) -> None:
        self._writer = TraceWriter(place)
        self._raw = raw
        try:
            self._lines = metrics.appender(told)
            self.last_told = metrics.last_step(told)
        except BaseException:  # nobody is left who would close it
            self._writer.abandon()
            raise
        self.waited = 0.0
        self._jobs: SimpleQueue[Job[B] | None] = SimpleQueue()
        self._tasks = Semaphore(1)
        self._error: BaseException | None = None
        self._synced = time.monotonic()
        self._process = os.getpid()
        self._thread: Thread | None = Thread(target=self._work, name="ontogeny-recorder", daemon=True)
        self._thread.start()

    @property
    def last(self) -> int:
        """The last step that was in the store when it was opened, or has been written since; -1 for none."""
        return self._writer.last

    def buffer(self, pool: Pool[B], wait: bool) -> B | None:
        """A free buffer; where there is none, waits for one and counts the time, or gives None."""
        self.check()
        found = pool.take()
        return found if found is not None or not wait else self._waiting(pool.take)

    def put(self, job: Job[B]) -> None:
        """Hands a job to the thread; waits where too many are before it, or a task still is."""
        self.check()
        if self._jobs.qsize() > MOST_JOBS:
            self._waiting(lambda: self._jobs.qsize() <= MOST_JOBS or None)
        if job.task is not None and not self._tasks.acquire(blocking=False):
            self._waiting(lambda: self._tasks.acquire(timeout=POLL) or None)
        self._jobs.put(job)

    def _waiting(self, attempt: Callable[[], W | None]) -> W:
        """What `attempt` gives once it gives something. The time is counted."""
        started = time.perf_counter()
        try:
            while (found := attempt()) is None:
                self.check()
                time.sleep(POLL / 20)
        finally:
            self.waited += time.perf_counter() - started
        return found

    def check(self) -> None:
        """Raises what went wrong on the thread, once it has."""
        if self._error is not None:
            raise RecordError(f"recording stopped: {self._error}") from self._error
        if self._thread is None:
            raise RecordError("this recording is closed")
        if os.getpid() != self._process:
            raise RecordError(f"this recording belongs to process {self._process}; a forked child cannot go on with it")

    def close(self) -> None:
        """Waits until everything is written. Raises what went wrong; closing twice does nothing."""
        if self._thread is None or os.getpid() != self._process:
            return
        self._jobs.put(None)
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
        while (job := self._jobs.get()) is not None:
            try:
                if self._error is None:
                    self._do(job)
            except BaseException as error:  # raised again by the loop's next step
                self._error = error
            finally:
                if job.pool is not None and job.buffer is not None:
                    job.pool.give_back(job.buffer)
                if job.task is not None:
                    self._tasks.release()

    def _do(self, job: Job[B]) -> None:
        """The row before its scalars: where a crash parts them, the step is there and only what was told is lost."""
        if job.pool is not None and job.buffer is not None:
            self._writer.append(job.pool.layout, job.step, self._raw(job.pool.layout, job.buffer))
        if job.told:
            self._lines.add(metrics.line_of(job.step, job.told))
            self._lines.flush(sync=False)
        if job.task is not None:
            job.task()
        if time.monotonic() - self._synced > SYNC_SECONDS:
            with disk("syncing", self._lines.path):
                self._lines.flush(sync=True)
            self._writer.sync()
            self._synced = time.monotonic()
