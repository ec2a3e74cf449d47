"""A live line while a run goes on: how far, the metrics, the speed, the time left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Event, Thread
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ontogeny.faces.terminal import number

REFRESH = 0.1
PLAIN_EVERY = 10.0
SOON = 1.0
"""Seconds of silence before a person is told what is going on."""


class Live:
    """A context manager; `step` is what a run calls after each of its steps.

    On a terminal a bar moves; elsewhere a line is written now and then, so that a log stays readable.
    """

    def __init__(self, last: int, first: int = 0, quiet: bool = False, what: str = "step") -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._quiet, self._what = quiet, what
        self._last, self._first = last, first
        self._shown = self._said = self._started = time.monotonic()
        self._bar = Progress(
            TextColumn(what),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[metrics]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
            transient=False,
            expand=True,
        )
        self._task = self._bar.add_task(what, total=last, completed=first, metrics="")

    def __enter__(self) -> Live:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def step(self, step: int, metrics: Mapping[str, float] | None = None, last: int | None = None) -> None:
        """Note that a step is done, and what it measured; `last` where the end is elsewhere than was said."""
        self._last = self._last if last is None else last
        now = time.monotonic()
        if now - self._shown < REFRESH and step < self._last:
            return
        self._shown = now
        self._bar.update(self._task, completed=step, total=self._last, metrics=written(metrics or {}))
        if not self._console.is_terminal and not self._quiet and now - self._said > PLAIN_EVERY:
            self._said = now
            left = (now - self._started) / max(1, step - self._first) * (self._last - step)
            self._console.print(f"{self._what} {step} of {self._last}  {written(metrics or {})}  {left:.0f} s left")


class Busy:
    """A context manager around work that cannot tell how far it is: after a second, what it is about and how long.

    On a terminal a line that goes away again; elsewhere one is written now and then.
    """

    def __init__(self, what: str, quiet: bool = False) -> None:
        self._what = what
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._over = Event()
        self._thread = Thread(target=self._watch, daemon=True) if not quiet else None

    def __enter__(self) -> Busy:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        self._started = time.monotonic()
        if self._console.is_terminal and not self._over.wait(SOON):
            with self._console.status(self._words()) as status:
                while not self._over.wait(0.5):
                    status.update(self._words())
        while not self._over.wait(PLAIN_EVERY):
            self._console.print(self._words())

    def _words(self) -> str:
        return f"{escape(self._what)}, {time.monotonic() - self._started:.0f} s"


def written(metrics: Mapping[str, float]) -> str:
    """The metrics in one line; of validation the accuracy rather than all."""
    wanted = [name for name in metrics if name in ("loss", "accuracy", "valid.loss", "valid.accuracy")]
    return "  ".join(f"{name} {number(metrics[name])}" for name in wanted or list(metrics)[:3])
