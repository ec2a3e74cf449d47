"""Who does the work of several shards: processes of this machine, or Ray's, here or on a cluster.

A task is a function of a module and one argument; both, and the answer, travel by pickle between processes that all run
this package: nothing that was read from a file is unpickled.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, TypeVar

from ontogeny.isa.errors import RecordError

Task = TypeVar("Task")
Answer = TypeVar("Answer")
PACKAGE = __name__.partition(".")[0]
LOOPBACK = "127.0.0.1"


class Workers(Protocol):
    """Does tasks, in any order and at the same time."""

    def map(self, function: Callable[[Task], Answer], tasks: Iterable[Task]) -> list[Answer]:
        """The answers, in the order of the tasks."""


@dataclass(frozen=True, slots=True)
class Processes:
    """So many processes of this machine, started for each call."""

    count: int = 2

    def map(self, function: Callable[[Task], Answer], tasks: Iterable[Task]) -> list[Answer]:
        """The answers, in the order of the tasks. The error of a task is raised here."""
        with ProcessPoolExecutor(self.count, multiprocessing.get_context("spawn")) as pool:
            return list(pool.map(function, tasks))


@dataclass(frozen=True, slots=True)
class RayWorkers:
    """Ray's workers: of the cluster that this process is connected to (`ray.init(address=...)`), or so many here.

    Started here, they listen on this machine alone and are gone after the call. On a cluster, all must reach the stores
    under the same names, so these are then URLs or folders of a shared file system.
    """

    count: int = 2

    def map(self, function: Callable[[Task], Answer], tasks: Iterable[Task]) -> list[Answer]:
        """The answers, in the order of the tasks.

        Raises RecordError without Ray, or where its workers do not answer or lack this package; and a task's error.
        """
        try:
            ray: Any = import_module("ray")
        except ImportError as error:
            raise RecordError(
                "this needs Ray: pip install 'ontogeny[ray]'; or give Processes() as the workers"
            ) from error
        ours = not ray.is_initialized()
        if ours:
            quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
            ray.init(num_cpus=self.count, _node_ip_address=LOOPBACK, **quiet)
        try:
            remote = ray.remote(function)
            return list(ray.get([remote.remote(task) for task in tasks]))
        except ray.exceptions.RayTaskError as error:
            raise said_plainly(error.cause) from error
        except (ray.exceptions.RayError, RuntimeError) as error:
            raise RecordError(f"Ray's workers did not answer: {first_line(error)}; see `ray status` there") from error
        finally:
            if ours:
                ray.shutdown()


def said_plainly(error: Exception) -> Exception:
    """What a task raised as it is; where its process has no such package, that in a sentence."""
    if isinstance(error, ImportError) or "No module named" in str(error):
        return RecordError(
            f"Ray's workers cannot import {getattr(error, 'name', None) or PACKAGE}; install "
            f"the same {PACKAGE} in the environment that Ray was started from, and start Ray there again"
        )
    return error


def first_line(error: BaseException) -> str:
    """What an error says first, without the traces of other processes that may follow."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
