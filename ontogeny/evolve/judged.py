"""Fitness by any Python function: what raises, gives no finite number, takes too long or kills its process has failed.

With a limit, the function runs in a forked process, which is ended and made anew when the time is up, so that even what
never returns, or never comes back from C, costs no more than the limit. There it sees the world as it was at the fork,
and what it changes is not seen here. Without a limit (`seconds=None`) it runs in this process.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any

from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist

SECONDS = 10.0
TOLD = 20
Scores = Callable[[Sequence[Netlist]], Sequence[float]]


class Judged:
    """A fitness that a Python function gives; `close` ends its process. Make one by `each` or `batch`."""

    def __init__(self, function: Scores, inputs: int, outputs: int, seconds: float | None, together: bool) -> None:
        if seconds is not None and not seconds > 0:
            raise NetlistError(f"a time limit of {seconds} seconds; expected more than 0, or None for no limit")
        self.inputs, self.outputs = inputs, outputs
        self.failed = 0
        self.failures: list[str] = []
        self._function, self._seconds, self._together = function, seconds, together
        self._worker: tuple[BaseProcess, Connection] | None = None

    def errors(self, nets: Sequence[Netlist]) -> list[float]:
        """The error of each, infinite where it failed."""
        if self._together and len(nets) > 1:
            scores, _ = self._asked(nets)
            if scores is not None and not any(map(math.isnan, scores)):
                return scores
        return [self._one(net) for net in nets]

    def _one(self, net: Netlist) -> float:
        scores, why = self._asked([net])
        if scores is not None and not math.isnan(scores[0]):
            return scores[0]
        self.failed += 1
        if len(self.failures) < TOLD:
            self.failures.append(why or "the fitness gave NaN")
        return math.inf

    def _asked(self, nets: Sequence[Netlist]) -> tuple[list[float] | None, str]:
        """The scores, or None and why there are none."""
        if self._seconds is None:
            return _scored(self._function, nets)
        process, pipe = self._worker = self._worker or _forked(self._function)
        try:
            pipe.send(list(nets))
            if pipe.poll(self._seconds):
                scores, why = pipe.recv()
                return scores, why
            why = f"the fitness took longer than {self._seconds:g} s"
        except (EOFError, OSError):
            process.join()
            why = f"the fitness ended its process with {process.exitcode}"
        self.close()
        return None, why

    def close(self) -> None:
        """Ends the process, if there is one; the next question makes another."""
        if self._worker is not None:
            process, pipe = self._worker
            self._worker = None
            process.kill()
            process.join()
            pipe.close()

    def __enter__(self) -> Judged:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def each(function: Callable[[Netlist], float], inputs: int, outputs: int, seconds: float | None = SECONDS) -> Judged:
    """Fitness by a function of one candidate: its error, lower is better. `seconds` is the limit for each."""
    return Judged(lambda nets: [function(net) for net in nets], inputs, outputs, seconds, together=False)


def batch(function: Scores, inputs: int, outputs: int, seconds: float | None = SECONDS) -> Judged:
    """Fitness by a function of several candidates, an error for each. Where it fails, they are tried one by one."""
    return Judged(function, inputs, outputs, seconds, together=True)


def _scored(function: Scores, nets: Sequence[Netlist]) -> tuple[list[float] | None, str]:
    try:
        scores = [float(score) for score in function(nets)]
    except Exception as error:  # whatever a fitness raises is the candidate's failure, not the search's
        return None, f"the fitness raised {type(error).__name__}: {error}"
    if len(scores) != len(nets):
        return None, f"the fitness gave {len(scores)} scores for {len(nets)} candidates"
    return scores, ""


def _forked(function: Scores) -> tuple[BaseProcess, Connection]:
    """A process that answers for the function, with its pipe."""
    if "fork" not in multiprocessing.get_all_start_methods():
        raise NetlistError("a time limit needs a system that can fork; give seconds=None to run without a limit")
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(function, ours, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _serve(function: Scores, ours: Any, pipe: Connection) -> None:
    ours.close()
    while True:
        try:
            nets = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        pipe.send(_scored(function, nets))
