"""A thread that does one piece of work after another, and that the end of the process does not wait for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from ontogeny.isa.errors import OntogenyError

T = TypeVar("T")


class Worker:
    """One thread. Whatever goes wrong in its work is told as an error of ours."""

    def __init__(self, name: str) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """What the work will return, once its turn has come."""
        future: Future[T] = Future()

        def do() -> None:
            if future.set_running_or_notify_cancel():
                _settle(future, work)

        self._waiting.put(do)
        return future

    def close(self) -> None:
        """Ends the thread once all that waits is done."""
        self._waiting.put(None)

    def _serve(self) -> None:
        while (work := self._waiting.get()) is not None:
            work()


def _settle(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    except (OntogenyError, OSError) as error:
        future.set_exception(error if isinstance(error, OntogenyError) else OntogenyError(str(error)))
    except BaseException as error:
        future.set_exception(OntogenyError(f"something unexpected happened: {type(error).__name__}: {error}"))
