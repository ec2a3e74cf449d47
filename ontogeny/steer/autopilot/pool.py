"""Who runs trials at once: processes of this machine that are kept from one rung to the next, or Ray's by URL."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ontogeny.ask.workers import Answer, RayWorkers, Task, Workers, first_line
from ontogeny.isa.errors import OntogenyError


class Pool:
    """So many processes of this machine until `close`. Each starts once: a start costs more than a short trial."""

    def __init__(self, count: int) -> None:
        self._executor = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))

    def map(self, function: Callable[[Task], Answer], tasks: Iterable[Task]) -> list[Answer]:
        """The answers, in the order of the tasks. The error of a task is raised here."""
        return list(self._executor.map(function, tasks))

    def close(self) -> None:
        """Lets the processes end."""
        self._executor.shutdown(cancel_futures=True)


@contextmanager
def workers(count: int, url: str = "") -> Iterator[Workers | None]:
    """Ray's workers at a URL, else so many processes; None where one process does. OntogenyError without Ray there."""
    if url:
        with _ray(url):
            yield RayWorkers(count)
        return
    if count == 1:
        yield None
        return
    pool = Pool(count)
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def _ray(url: str) -> Iterator[None]:
    try:
        ray: Any = import_module("ray")
        with warnings.catch_warnings(action="ignore"):  # what it warns of is said below
            ray.init(address=url, log_to_driver=False, logging_level="CRITICAL")
    except ImportError as error:
        raise OntogenyError("this needs Ray: pip install 'ontogeny[ray]'; or give workers=2") from error
    except Exception as error:  # what it raises differs by version and by the kind of the address
        said = first_line(error).rstrip(".")
        raise OntogenyError(
            f"no Ray can be used at {url}: {said}; see whether it runs there, or leave the address out: --workers 2"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()
