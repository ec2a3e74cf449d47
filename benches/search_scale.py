"""How a search scales: over workers, as candidates grow, and what it costs to write it down.

`workers_cost`: CPU seconds of a search of eight islands shared among two processes over those of the same in one;
whoever has as many cores as workers waits so much less. `workers_speed`: evaluations per second of wall clock, two
processes over one, which means something on idle cores only. `cost_per_node`: CPU seconds of an evaluation with 3,200
nodes over those with 50, divided by 64: what it costs as candidates grow, 1 where it grows as they do. `recorded_cost`:
CPU seconds of a recorded search over those of one that is not. No peers: none of these is about another's program.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import Figures, Targets, arguments, close, peers

from ontogeny.evolve import CGP, Islands, equals, record, search


def multiply(number: int) -> int:
    """The product of the lower and the upper three bits."""
    return (number & 7) * (number >> 3)


FITNESS = equals(multiply, 6, 6)


def cpu() -> float:
    """CPU seconds of this process and of those that it waited for."""
    own, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


def taken(work: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds and seconds by the clock."""
    began, clock = cpu(), time.perf_counter()
    work()
    return cpu() - began, time.perf_counter() - clock


def shared(workers: int, evaluations: int) -> tuple[float, float]:
    """Eight islands on a task that they will not solve with so few nodes."""
    return taken(lambda: search(Islands(CGP(20), 8), FITNESS, evaluations=evaluations, workers=workers))


def written(evaluations: int) -> float:
    """CPU seconds of a recorded search."""
    with tempfile.TemporaryDirectory() as folder:
        opened = record(Path(folder), CGP(20), FITNESS, evaluations=evaluations)
        return taken(opened.go_on)[0]


def main() -> None:
    """All of it, the contenders of each figure in turn."""
    full = arguments(__doc__ or "").full
    figures: Figures = {}
    evaluations, rounds = (8_000_000, 5) if full else (4_000_000, 3)
    search(CGP(5), FITNESS, evaluations=100)  # compiled, or read from the cache
    costs, speeds, kept = [], [], []
    for _ in range(rounds):
        alone, two = shared(1, evaluations), shared(2, evaluations)
        costs.append(two[0] / alone[0])
        speeds.append(alone[1] / two[1])
        plain = taken(lambda: search(CGP(20), FITNESS, evaluations=evaluations))[0]
        kept.append(written(evaluations) / plain)
    figures["workers_cost"] = round(statistics.median(costs), 3)
    figures["workers_speed"] = round(statistics.median(speeds), 2)
    figures["recorded_cost"] = round(statistics.median(kept), 3)
    grown = {}
    for nodes in (50, 200, 800, 3200):
        method = CGP(nodes)
        grown[nodes] = taken(lambda method=method: search(method, FITNESS, evaluations=20_000))[0] / 20_000
        figures[f"microseconds.{nodes}_nodes"] = round(1e6 * grown[nodes], 3)
    figures["cost_per_node"] = round(grown[3200] / grown[50] / 64, 3)
    for name, value in figures.items():
        print(f"  {name}: {value}")
    targets: Targets = {"workers_cost": ("<=", 1.15), "recorded_cost": ("<=", 1.1), "cost_per_node": ("<=", 1.0)}
    close("search_scale", figures, targets, peers("numba"))


if __name__ == "__main__":
    main()
