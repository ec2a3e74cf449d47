"""Populations and islands shared among processes: the same result as in one, also where workers are killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ontogeny.evolve import CGP, Ageing, Gates, Genetic, each, equals, open_search, record, search
from ontogeny.evolve.methods.islands import Islands
from ontogeny.evolve.recording import states
from ontogeny.evolve.workers import OnRay, Processes, Task, working
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, cases, truth

PARITY = equals(lambda number: number.bit_count() & 1, 4, 1)
ISLANDS = Islands(CGP(40, "nand", 1), 3, 2000)


def wrong(net: Netlist) -> float:
    """Wrong bits of a parity of three; some gates raise."""
    if net.gates == 5:
        raise ValueError("five gates")
    return float((int(truth(net, cases(3))[0, 0]) & 255 ^ 0b10010110).bit_count())


def ending(net: Netlist) -> float:
    """Ends its process."""
    if net.gates == 3:
        os._exit(3)
    return wrong(net)


def same(one: Any, other: Any) -> bool:
    return one.best == other.best and one.errors == other.errors and one.evaluations == other.evaluations


@pytest.mark.parametrize("method", [Ageing(Gates(15), 40, 6, 30), Genetic(Gates(15), 40)])
def test_a_generation_judged_by_several_is_the_generation_judged_by_one(method: Any) -> None:
    with each(wrong, 3, 1, None) as fitness:
        alone = search(method, fitness, seed=1, evaluations=600, goal=-1.0)
        shared = search(method, each(wrong, 3, 1, None), seed=1, evaluations=600, goal=-1.0, workers=3)
    assert same(alone, shared) and shared.failures
    assert set(shared.failures) == set(alone.failures) == {"the fitness raised ValueError: five gates"}


def test_islands_in_processes_find_what_they_find_in_one_and_it_is_recorded(tmp_path: Path) -> None:
    alone = search(ISLANDS, PARITY, seed=2, evaluations=200_000, prune=20_000)
    assert alone.solved and alone.error == 0
    opened = record(tmp_path, ISLANDS, PARITY, seed=2, evaluations=200_000, prune=20_000)
    with working(2) as workers:
        assert same(opened.go_on(workers=workers), alone)
    assert open_search(tmp_path).verify()
    opened.turn("gates", "two-input")
    opened.turn("every", 500)
    opened.turn("prune", 40_000)
    turned = opened.go_on()
    assert set(opened.dials()) >= {"every", "gates", "hits", "offspring", "weights"}
    assert turned.size <= alone.size and open_search(tmp_path).verify()


def test_islands_send_their_best_on() -> None:
    lonely = Islands(CGP(40, "nand", 1), 3, 10**6)
    state = ISLANDS.begin(PARITY.space, 0)
    after = ISLANDS.leg(state, PARITY, 1, True)
    apart = lonely.method.leg(state.islands[1], PARITY, 2000, True)
    assert after is not None and apart is not None
    reached = [ISLANDS.method.leg(island, PARITY, 2000, True) for island in state.islands]
    errors = [island.error for island in reached if island is not None]
    assert [island.error for island in after.islands] == [min(errors[i], errors[i - 1]) for i in range(3)]
    assert len({island.rng[0] for island in after.islands}) == 3
    with each(wrong, 3, 1, None) as fitness:
        found = search(Islands(CGP(20), 2, 50), fitness, seed=1, evaluations=3000)
    assert found.solved and found.best.gates <= 6


class Killing(Processes):
    """Kills a worker before every generation."""

    def run(self, fitness: Any, tasks: Any) -> list[Any]:
        if self._there:
            os.kill(self._there[0][0].pid or 0, signal.SIGKILL)
        return super().run(fitness, tasks)


def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    workers = Killing(2)
    try:
        found = record(tmp_path, ISLANDS, PARITY, seed=2, prune=20_000).go_on(workers=workers)
    finally:
        workers.close()
    assert same(found, search(ISLANDS, PARITY, seed=2, prune=20_000))
    assert not workers.failures


def test_a_candidate_that_ends_its_worker_alone_has_failed_and_the_others_have_not(tmp_path: Path) -> None:
    method = Ageing(Gates(8), 20, 4, 10)
    opened = record(tmp_path, method, each(ending, 3, 1, None), seed=1, evaluations=60, goal=-1.0)
    with working(2) as workers:
        found = opened.go_on(workers=workers)
    failed = [entry for entry in opened.entries if entry.kind == "failed"]
    assert failed and all("ended its process" in entry["why"] for entry in failed)
    assert np.isfinite(found.error)
    again = open_search(tmp_path)
    for path in again.kept.all().values():
        path.unlink()
    with working(2) as workers:
        assert same(open_search(tmp_path).go_on(workers=workers), found)
    assert states.digest(open_search(tmp_path).course.standing) == states.digest(opened.course.standing)


def test_no_worker_is_left() -> None:
    workers = Processes(2)
    workers.errors(each(wrong, 3, 1, 5.0), [CGP(9).best(CGP(9).begin(PARITY.space, 0)).candidate] * 8)
    processes = [process for process, _ in workers._there]
    assert processes and all(process.is_alive() for process in processes)
    workers.close()
    assert not any(process.is_alive() for process in processes)
    with pytest.raises(SearchError, match="0 workers"):
        Processes(0)


class TwoWords(Exception):
    """One that pickle cannot make again."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def slowly(_: Any, seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def raising(_: Any, error: tuple[Any, ...]) -> None:
    raise error[0](*error[1:])


def interrupting(_: Any, process: int) -> None:
    """Ctrl-C in the process that waits for this, which would take long."""
    os.kill(process, signal.SIGINT)
    time.sleep(100)


@pytest.fixture
def two() -> Iterator[Processes]:
    found = Processes(2)
    yield found
    found.close()


def test_what_a_worker_raises_is_raised_with_where_and_answers_no_later_question(two: Processes) -> None:
    with pytest.raises(ValueError, match="first") as raised:
        two.run(PARITY, [Task(raising, (ValueError, "first")), Task(slowly, 0.3)])
    assert str(raised.value) == "first"
    assert "in a worker:" in raised.value.__notes__[0] and "in raising" in raised.value.__notes__[0]
    assert two.run(PARITY, [Task(slowly, 0.0), Task(slowly, 0.01)]) == [0.0, 0.01]
    with pytest.raises(SearchError, match="a worker raised TwoWords: so be it"):
        two.run(PARITY, [Task(raising, (TwoWords, "so", "be it"))])


def test_ctrl_c_waits_for_no_worker(two: Processes) -> None:
    began, before = time.monotonic(), signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            two.run(PARITY, [Task(slowly, 100.0), Task(interrupting, os.getpid())])
        assert not two._there and time.monotonic() - began < 90
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.slow
def test_on_ray_it_is_the_same(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="`make test-slow` installs Ray")
    workers = OnRay("local", 2)
    try:
        method = Ageing(Gates(15), 40, 6, 30)
        going = record(tmp_path, method, each(wrong, 3, 1, None), seed=1, evaluations=600, goal=-1.0)
        found = going.go_on(workers=workers)
    finally:
        workers.close()
    assert same(found, search(method, each(wrong, 3, 1, None), seed=1, evaluations=600, goal=-1.0))
