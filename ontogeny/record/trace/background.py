"""One piece of work at a time on a thread of its own, also while the interpreter ends.

The standard library's pools refuse work as soon as the main thread has ended, before exit handlers run; but that is
just when a loop that nobody closed must still be written.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

Work = Callable[[], object]


class Background:
    """A thread that does what `begin` gives it; what went wrong is raised by `settle`."""

    def __init__(self, name: str) -> None:
        self._given: SimpleQueue[Work | None] = SimpleQueue()
        self._ended: SimpleQueue[BaseException | None] = SimpleQueue()
        self._under_way = False
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def begin(self, work: Work) -> None:
        """Starts a piece of work, once the one before it has ended well."""
        self.settle()
        self._under_way = True
        self._given.put(work)

    def settle(self) -> None:
        """Waits for what is under way, and raises what went wrong with it."""
        if self._under_way:
            error = self._ended.get()
            self._under_way = False
            if error is not None:
                raise error

    def stop(self) -> None:
        """Waits for what is under way and ends the thread; what went wrong is dropped."""
        self._given.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (work := self._given.get()) is not None:
            try:
                work()
            except BaseException as error:  # raised again where it is waited for
                self._ended.put(error)
            else:
                self._ended.put(None)
