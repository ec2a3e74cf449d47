"""Fitness by any Python function: what raises, gives no finite number, takes too long or kills its process has failed.

With a limit, the function runs in a forked process, which is ended and made anew when the time is up, so that even what
never returns, or never comes back from C, costs no more than the limit. There it sees the world as it was at the fork,
and what it changes is not seen here. Without a limit (`seconds=None`) it runs in this process.
"""

from __future__ import annotations

import math
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Generic, TypeVar

from ontogeny.evolve.fitness.recipe import Recipe, made_by
from ontogeny.evolve.spaces import Netlists, Space
from ontogeny.isa.errors import SearchError

SECONDS = 10.0
TOLD = 20
Candidate = TypeVar("Candidate")
Scores = Callable[[Sequence[Candidate]], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The scores, or why there are none: that the time was up, that the process ended, or what the function did."""

    scores: list[float] | None
    why: str = ""
    late: bool = False
    ended: bool = False


class Judged(Generic[Candidate]):
    """A fitness that a Python function gives; `close` ends its process. Make one by `each` or `batch`.

    `outside` says which of those judged last failed by what no seed decides, the clock or the end of a process, and
    why; `reasons` has all that failed. A process that ends is tried once more, since somebody else may have ended it.
    """

    objectives = ("error",)
    recipe: Recipe | None = None

    def __init__(self, function: Scores[Candidate], space: Space, seconds: float | None, together: bool) -> None:
        if seconds is not None and not seconds > 0:
            raise SearchError(f"a time limit of {seconds} seconds; expected more than 0, or None for no limit")
        self.space = space
        self.failed = 0
        self.failures: list[str] = []
        self.outside: dict[int, str] = {}
        self.reasons: dict[int, str] = {}
        self._function, self._seconds, self._together = function, seconds, together
        self._worker: tuple[BaseProcess, Connection] | None = None

    def errors(self, candidates: Sequence[Candidate], /) -> list[float]:
        """The error of each, infinite where it failed."""
        self.outside, self.reasons = {}, {}
        if self._together and len(candidates) > 1:
            answer = self._asked(candidates)
            if answer.scores is not None and not any(map(math.isnan, answer.scores)):
                return answer.scores
        return [self._one(place, candidate) for place, candidate in enumerate(candidates)]

    def _one(self, place: int, candidate: Candidate) -> float:
        answer = self._asked([candidate])
        if answer.ended:
            answer = self._asked([candidate])
        if answer.scores is not None and not math.isnan(answer.scores[0]):
            return answer.scores[0]
        self.failed += 1
        self.reasons[place] = answer.why or "the fitness gave NaN"
        if len(self.failures) < TOLD:
            self.failures.append(self.reasons[place])
        if answer.ended or answer.late:
            self.outside[place] = answer.why
        return math.inf

    def _asked(self, candidates: Sequence[Candidate]) -> Answer:
        """The scores, or why there are none."""
        if self._seconds is None:
            return Answer(*_scored(self._function, candidates))
        process, pipe = self._worker = self._worker or _forked(self._function)
        try:
            pipe.send(list(candidates))
            if pipe.poll(self._seconds):
                return Answer(*pipe.recv())
            answer = Answer(None, f"the fitness took longer than {self._seconds:g} s", late=True)
        except (EOFError, OSError):
            process.join()
            answer = Answer(None, f"the fitness ended its process with {process.exitcode}", ended=True)
        except BaseException:  # Ctrl-C, say: the answer that is under way would be taken for the next one's
            self.close()
            raise
        self.close()
        return answer

    def close(self) -> None:
        """Ends the process, if there is one; the next question makes another."""
        if self._worker is not None:
            process, pipe = self._worker
            self._worker = None
            process.kill()
            process.join()
            pipe.close()

    def __enter__(self) -> Judged[Candidate]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@made_by("each", "seconds")
def each(
    function: Callable[[Candidate], float], inputs: int | Space, outputs: int = 0, seconds: float | None = SECONDS
) -> Judged[Candidate]:
    """Fitness by a function of one candidate: its error, lower is better. `seconds` is the limit for each.

    Candidates are netlists of so many inputs and outputs, or of another space, given in place of the inputs.
    """
    return Judged(lambda many: [function(one) for one in many], _space(inputs, outputs), seconds, together=False)


@made_by("batch", "seconds")
def batch(
    function: Scores[Candidate], inputs: int | Space, outputs: int = 0, seconds: float | None = SECONDS
) -> Judged[Candidate]:
    """Fitness by a function of several candidates, an error for each. Where it fails, they are tried one by one.

    An error may not depend on who is judged beside: generations are cut where several workers judge them.
    """
    return Judged(function, _space(inputs, outputs), seconds, together=True)


def _space(inputs: int | Space, outputs: int) -> Space:
    return inputs if isinstance(inputs, Space) else Netlists(inputs, outputs)


def _scored(function: Scores[Any], candidates: Sequence[Any]) -> tuple[list[float] | None, str]:
    try:
        scores = [float(score) for score in function(candidates)]
    except Exception as error:  # whatever a fitness raises is the candidate's failure, not the search's
        return None, f"the fitness raised {type(error).__name__}: {error}"
    if len(scores) != len(candidates):
        return None, f"the fitness gave {len(scores)} scores for {len(candidates)} candidates"
    return scores, ""


def _forked(function: Scores[Any]) -> tuple[BaseProcess, Connection]:
    """A process that answers for the function, with its pipe."""
    if "fork" not in multiprocessing.get_all_start_methods():
        raise SearchError("a time limit needs a system that can fork; give seconds=None to run without a limit")
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(function, ours, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _serve(function: Scores[Any], ours: Any, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all; who it works for decides
    ours.close()
    while True:
        try:
            candidates = pipe.recv()
        except EOFError:
            return
        pipe.send(_scored(function, candidates))
