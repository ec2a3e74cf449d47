"""Who judges candidates and goes the legs of islands: processes of this machine, or Ray's, here or on a cluster.

Which worker does what changes no result: parts come back in their order. A worker that is killed is replaced, and its
part done again; a part that ends its worker twice is cut into single candidates, and one that does so alone has failed.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.fitness.tables import Fitness, closed, outside, reasons
from ontogeny.evolve.recording.store import searched
from ontogeny.isa.errors import SearchError

PARTS = 4
"""Parts of a generation to each worker, so that none waits long for another."""
TRIES = 2
REACHED = 5.0
"""Seconds within which something must listen at an address of Ray's."""
GRACE = 5.0
"""Seconds within which a worker that is told to end must; then it is ended."""
Errors = NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """A function of the fitness and something to be worked on."""

    function: Callable[[Any, Any], Any]
    given: Any
    tries: int = 0


@dataclass(frozen=True)
class Part:
    """What came of some candidates: errors, what was told of failures, and which failed by clock or process."""

    errors: Errors
    told: tuple[str, ...] = ()
    outside: tuple[tuple[int, str], ...] = ()
    reasons: tuple[tuple[int, str], ...] = ()


class Workers(Protocol):
    """Does the work of a generation, in any order and at the same time."""

    failures: list[str]
    outside: dict[int, str]
    reasons: dict[int, str]

    def errors(self, fitness: Fitness[Any], candidates: Sequence[Any], first: int | None = None) -> Errors:
        """The errors of candidates, as the fitness itself gives them; `first` is what `of_generation` takes."""

    def legs(self, method: Any, states: Sequence[Any], fitness: Fitness[Any], most: int, until: bool) -> Sequence[Any]:
        """The legs of islands."""

    def close(self) -> None:
        """Lets the workers end."""


class Spread:
    """The work of a generation cut into tasks; whoever subclasses it does these."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise SearchError(f"{count} workers; expected 1 or more")
        self.count = count
        self.failures: list[str] = []
        self.outside: dict[int, str] = {}
        self.reasons: dict[int, str] = {}

    def errors(self, fitness: Fitness[Any], candidates: Sequence[Any], first: int | None = None) -> Errors:
        """The errors of candidates, as the fitness itself gives them; `first` is what `of_generation` takes."""
        parts = min(len(candidates), self.count * PARTS)
        cuts = [len(candidates) * part // parts for part in range(parts + 1)]
        tasks = [Task(judge, (candidates[low:high], first)) for low, high in pairwise(cuts)]
        done: list[Part] = self.run(fitness, tasks)
        self.outside = {low + place: why for low, part in zip(cuts, done, strict=False) for place, why in part.outside}
        self.reasons = {low + place: why for low, part in zip(cuts, done, strict=False) for place, why in part.reasons}
        self.failures += [told for part in done for told in part.told][: max(0, 20 - len(self.failures))]
        return np.concatenate([part.errors for part in done])

    def legs(self, method: Any, states: Sequence[Any], fitness: Fitness[Any], most: int, until: bool) -> Sequence[Any]:
        """The legs of islands."""
        return self.run(fitness, [Task(leg, (method, state, most, until)) for state in states])

    def run(self, fitness: Fitness[Any], tasks: Sequence[Task]) -> list[Any]:
        """What comes of the tasks, in their order."""
        raise NotImplementedError


def of_generation(fitness: Any, first: int | None) -> Any:
    """The fitness of the generation whose first has that number: another for each, where it has `at`; else itself.

    None for no generation: what judges on all there is.
    """
    return fitness.at(first) if first is not None and hasattr(fitness, "at") else fitness


def judge(fitness: Any, given: tuple[Sequence[Any], int | None]) -> Part:
    """Some candidates, judged where this runs."""
    candidates, fitness = given[0], of_generation(fitness, given[1])
    before = len(fitness.failures)
    errors = np.asarray(fitness.errors(candidates), np.float64)
    return Part(
        errors, tuple(fitness.failures)[before:], tuple(outside(fitness).items()), tuple(reasons(fitness).items())
    )


def leg(fitness: Any, given: Any) -> Any:
    """The leg of an island."""
    method, state, most, until = given
    return method.leg(state, fitness, most, until)


class Processes(Spread):
    """So many processes of this machine, which know the fitness since they were forked, until `close`."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        if "fork" not in multiprocessing.get_all_start_methods():
            raise SearchError("workers need a system that can fork; search in one process here, or with Ray")
        self._fitness: Fitness[Any] | None = None
        self._there: list[tuple[BaseProcess, Connection]] = []

    def run(self, fitness: Fitness[Any], tasks: Sequence[Task]) -> list[Any]:
        """What comes of the tasks, in their order."""
        if fitness is not self._fitness:
            self.close()
            self._fitness = fitness
        try:
            return self._done(fitness, tasks)
        except BaseException:  # what is still under way would answer the next question, or be waited for
            for process, _ in self._there:
                process.terminate()
            self.close()
            raise

    def _done(self, fitness: Fitness[Any], tasks: Sequence[Task]) -> list[Any]:
        waiting, found = list(reversed(list(enumerate(tasks)))), dict[int, Any]()
        busy: dict[Connection, tuple[int, Task]] = {}
        while waiting or busy:
            for process, pipe in self._free(busy, len(waiting)):
                place, task = waiting.pop()
                busy[pipe] = place, task
                try:
                    pipe.send((task.function, task.given))
                except OSError:
                    self._lost(process, pipe)
                    waiting.append(busy.pop(pipe))
            for ready in wait(list(busy)):
                pipe = cast(Connection, ready)
                place, task = busy.pop(pipe)
                try:
                    found[place] = _opened(pipe.recv())
                except (EOFError, OSError):
                    self._lost(next(process for process, own in self._there if own is pipe), pipe)
                    again = replace(task, tries=task.tries + 1)
                    if again.tries < TRIES:
                        waiting.append((place, again))
                    else:
                        found[place] = self._singly(fitness, again)
        return [found[place] for place in range(len(tasks))]

    def close(self) -> None:
        """Ends the processes; the next tasks make others."""
        for _, pipe in self._there:
            pipe.close()
        for process, _ in self._there:
            process.join(GRACE)
            process.kill()
            process.join()
        self._there, self._fitness = [], None

    def _free(self, busy: dict[Connection, Any], wanted: int) -> list[tuple[BaseProcess, Connection]]:
        """Processes that do nothing, as many as are wanted and may be."""
        while len(self._there) < min(self.count, len(busy) + wanted):
            self._there.append(self._forked())
        return [(process, pipe) for process, pipe in self._there if pipe not in busy][:wanted]

    def _forked(self) -> tuple[BaseProcess, Connection]:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        others = [pipe for _, pipe in self._there]
        process = context.Process(target=_serve, args=(self._fitness, theirs, [ours, *others]))
        process.start()
        theirs.close()
        return process, ours

    def _lost(self, process: BaseProcess, pipe: Connection) -> None:
        pipe.close()
        process.join()
        self._there = [(one, own) for one, own in self._there if own is not pipe]

    def _singly(self, fitness: Fitness[Any], task: Task) -> Any:
        """A part that ended its workers, each candidate by itself; one that ends them alone has failed."""
        if task.function is not judge:
            raise SearchError(
                "the leg of an island ended its process twice; what was kept is not lost, so go on with it"
            )
        width, (candidates, first) = len(fitness.objectives), task.given
        if len(candidates) == 1:
            why = "the fitness ended its process"
            return Part(np.full((1, width) if width > 1 else 1, np.inf), (why,), ((0, why),), ((0, why),))
        alone = Processes(1)
        try:
            parts: list[Part] = alone.run(fitness, [Task(judge, ([candidate], first)) for candidate in candidates])
        finally:
            alone.close()
        failed = tuple((place, why) for place, part in enumerate(parts) for _, why in part.outside)
        told = tuple(told for part in parts for told in part.told)
        whys = tuple((place, why) for place, part in enumerate(parts) for _, why in part.reasons)
        return Part(np.concatenate([part.errors for part in parts]), told, failed, whys)


def _serve(fitness: Any, pipe: Connection, others: Sequence[Connection]) -> None:
    """The loop of a worker; it ends with the process that it works for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all; who it works for decides
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for other in others:
        other.close()
    try:
        while True:
            function, given = pipe.recv()
            try:
                answer: tuple[Any, Exception | None] = function(fitness, given), None
            except Exception as error:  # whatever a fitness raises is raised where it was asked for
                answer = None, _portable(error)
            pipe.send(answer)
    except (EOFError, OSError):
        return
    finally:
        closed(fitness)


def _portable(error: Exception) -> Exception:
    """The error as it can be sent: the worker's traceback as a note, and in words where pickle cannot make it anew."""
    told = f"in a worker:\n{''.join(traceback.format_exception(error))}"
    try:
        found: Exception = pickle.loads(pickle.dumps(error))
    except Exception:  # pickle calls what the error's class defines
        found = SearchError(f"a worker raised {type(error).__name__}: {error}")
    found.add_note(told)
    return found


def _opened(answer: tuple[Any, Exception | None]) -> Any:
    value, error = answer
    if error is not None:
        raise error
    return value


class OnRay(Spread):
    """Ray's workers at an address, "local" for some started here; Ray does again what a lost worker was at."""

    def __init__(self, address: str, count: int = 8) -> None:
        super().__init__(count)
        _reachable(address)
        try:
            self.ray: Any = import_module("ray")
            quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
            if address == "local":
                quiet |= {"num_cpus": count, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
            self.ray.init(address=None if address == "local" else address, **quiet)
        except ImportError as error:
            raise SearchError("this needs Ray: pip install 'ontogeny[ray]'; or give workers=2") from error
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise SearchError(f"no Ray answers at {address}: {error}") from error
        self._fitness: tuple[Fitness[Any], Any] | None = None

    def run(self, fitness: Fitness[Any], tasks: Sequence[Task]) -> list[Any]:
        """What comes of the tasks, in their order."""
        if self._fitness is None or self._fitness[0] is not fitness:
            by_value = import_module("ray.cloudpickle").register_pickle_by_value
            for module in searched():  # which nobody there could import by its name
                by_value(module)
            self._fitness = fitness, self.ray.put(fitness)
        remote, held = self.ray.remote(max_retries=3)(_work), [self._fitness[1]]
        try:
            return list(self.ray.get([remote.remote(held, task.function, task.given) for task in tasks]))
        except self.ray.exceptions.RayTaskError as error:
            raise error.cause from error

    def close(self) -> None:
        """Leaves Ray."""
        self._fitness = None
        self.ray.shutdown()


def _reachable(address: str) -> None:
    """Raises SearchError where nothing listens at host:port, on which Ray itself would wait for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), REACHED).close()
    except OSError as error:
        raise SearchError(f"no Ray answers at {address}: {error}") from error


def _work(held: list[Any], function: Callable[[Any, Any], Any], given: Any) -> Any:
    """A task in a worker of Ray's, which keeps the fitness that it had last."""
    if KNOWN.get("held") != held[0]:
        closed(KNOWN.get("fitness"))
        KNOWN.update(held=held[0], fitness=import_module("ray").get(held[0]))
    return function(KNOWN["fitness"], given)


KNOWN: dict[str, Any] = {}


@contextmanager
def working(count: int, ray: str = "") -> Iterator[Workers | None]:
    """Ray's workers at an address, else so many processes; None where this process does it alone."""
    if count < 1:
        raise SearchError(f"{count} workers; expected 1 or more")
    if count == 1 and not ray:
        yield None
        return
    workers: Workers = OnRay(ray, count) if ray else Processes(count)
    try:
        yield workers
    finally:
        workers.close()
