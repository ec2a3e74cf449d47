"""Ctrl-C between steps rather than inside one: the first press waits for the step's end, a second one does not."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """While entered, in the main thread, notes the first SIGINT in `seen`; later ones go to the handler before.

    One that comes after the last `check` is raised when it is left, so that none is lost. With `patient` later ones
    wait as well: for what must not be left half done, such as an import.
    """

    def __init__(self, patient: bool = False) -> None:
        self.seen = False
        self._patient = patient
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
        if error is None:
            self.check()

    def check(self) -> None:
        """Raises KeyboardInterrupt where one was seen."""
        if self.seen:
            self._restore()
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.seen = True
        if not self._patient:
            self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
