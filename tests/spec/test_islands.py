"""Islands over any method: guests come, whoever works finds the same, and a line goes on where a guest came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from ontogeny.evolve import (
    CGP,
    CMAES,
    Ageing,
    Gates,
    Genetic,
    LowRankES,
    OpenAIES,
    batch,
    each,
    equals,
    open_search,
    record,
    several,
)
from ontogeny.evolve.method import Asked, Method
from ontogeny.evolve.methods.elites import Elites
from ontogeny.evolve.methods.islands import Islands, one_by_one
from ontogeny.evolve.methods.pareto import Pareto
from ontogeny.evolve.recording import states
from ontogeny.evolve.recording.lineage import _logged, lineage
from ontogeny.evolve.search import Search
from ontogeny.evolve.spaces import Vectors
from ontogeny.evolve.tapes.ageing import TapeAgeing
from ontogeny.evolve.tapes.candidates import Instructions, learning
from ontogeny.evolve.weights.network import network
from ontogeny.evolve.workers import working
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import cases, truth

GATES = Gates(30)
TABLE = equals(lambda number: (number & 3) * (number >> 2), 4, 4)
X = np.random.default_rng(0).standard_normal((30, 3)).astype(np.float32)
NETWORK = network(X, (X[:, 0] > 0).astype(np.int64), (4,))


def bowl(vectors: Any) -> list[float]:
    """How far vectors are from ones."""
    return [float(((np.asarray(vector) - 1) ** 2).sum()) for vector in vectors]


def odd(net: Any) -> float:
    """Wrong bits of a parity of four."""
    return float((int(truth(net, cases(4))[0, 0]) & 65535 ^ 0x6996).bit_count())


def taught() -> Any:
    """Learners of one linear function."""
    rng = np.random.default_rng(1)
    features = rng.standard_normal((2, 30, 4))
    return learning(features, features @ rng.standard_normal(4), 20, enough=0.01)


VECTORS, BOTH = batch(bowl, Vectors(5), seconds=None), several(TABLE, ["gates", "depth"])
TAPES = TapeAgeing(Instructions(4, 2, 5), population=20, offspring=5, memory=1 << 8)
ISLANDS: dict[str, tuple[Islands[Any, Any], Any, int]] = {
    "cgp": (Islands(CGP(30), 3, 100), TABLE, 900),
    "cgp, asked": (Islands(CGP(20), 3, 100), each(odd, 4, 1, None), 600),
    "ageing": (Islands(Ageing(GATES, 30, 6, 10), 3, 60), TABLE, 600),
    "genetic": (Islands(Genetic(GATES, 30), 3, 60), TABLE, 600),
    "elites": (Islands(Elites(GATES, (20, 8), (0, 0), (40, 16), 30, 30), 3, 60), BOTH, 600),
    "pareto": (Islands(Pareto(GATES, 30), 3, 60), BOTH, 600),
    "tapes": (Islands(TAPES, 2, 100), taught(), 500),
    "openai-es": (Islands(OpenAIES(4), 3, 30), VECTORS, 300),
    "low-rank-es": (Islands(LowRankES(4), 2, 30), NETWORK, 300),
    "cma-es": (Islands(CMAES(), 3, 20), VECTORS, 240),
}
QUICK = ("cgp", "cgp, asked", "elites", "openai-es", "tapes")
NAMES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in ISLANDS]
every = pytest.mark.parametrize("name", NAMES)
LINED = [one for one in NAMES if one.values[0] in ("tapes", "elites") or not str(one.values[0]).endswith("es")]


def after(method: Any, fitness: Any, evaluations: int, seed: int = 3) -> Any:
    """The state after so many evaluations."""
    going = Search(method, fitness, evaluations, goal=0.0)
    standing = going.begin(seed)
    while standing.state.evaluations < evaluations:
        standing = going.further(standing)
    return standing.state


def skipped(name: str) -> None:
    if name == "cma-es":
        pytest.importorskip("cma")


@every
def test_whoever_works_comes_to_the_same_state_and_a_recorded_one_goes_on_from_where_it_stood(
    tmp_path: Path, name: str
) -> None:
    skipped(name)
    method, fitness, evaluations = ISLANDS[name]
    alone = record(tmp_path / "alone", method, fitness, seed=3, evaluations=evaluations, goal=0.0)
    alone.go_on(seconds=0)
    open_search(tmp_path / "alone").go_on()
    shared = record(tmp_path / "shared", method, fitness, seed=3, evaluations=evaluations, goal=0.0)
    with working(2) as workers:
        shared.go_on(workers=workers)
    ended = [open_search(tmp_path / name) for name in ("alone", "shared")]
    one, other = (states.digest(search.course.standing) for search in ended)
    assert one == other and ended[0].verify()


@every
def test_guests_come_and_change_where_islands_go(name: str) -> None:
    skipped(name)
    method, fitness, evaluations = ISLANDS[name]
    if name in ("cgp", "tapes"):  # a generation is an epoch there, however long one is
        begun = after(method, fitness, 60)
        met, apart = method.leg(begun, fitness, 1, True), one_by_one(method.method, begun.islands, fitness, 100, True)
    else:
        met, lonely = (after(one, fitness, evaluations) for one in (method, replace(method, every=10**6)))
        apart = lonely.islands
    assert any(states.digest(one) != states.digest(two) for one, two in zip(met.islands, apart, strict=True))


@pytest.mark.parametrize("name", LINED)
def test_the_line_goes_through_migrations_back_to_one_that_came_from_nobody(tmp_path: Path, name: str) -> None:
    method, fitness, evaluations = ISLANDS[name]
    going = record(tmp_path, method, fitness, seed=3, evaluations=evaluations)
    found = going.go_on()
    steps = lineage(going)
    assert steps[-1].error == found.error and len(steps) > 1
    assert [step.error for step in steps[:-1]] == sorted({step.error for step in steps[:-1]}, reverse=True)
    assert all(one.number < two.number and one.ancestors < two.ancestors for one, two in pairwise(steps))
    assert steps[0].ancestors == 0 and steps[0].number < evaluations
    assert lineage(going, steps[0].number)[-1].number == steps[0].number


def test_a_child_of_a_guest_is_told_as_what_its_parent_was_on_the_other_island(tmp_path: Path) -> None:
    for name in ("cgp", "cgp, asked", "elites"):
        method, fitness, evaluations = ISLANDS[name]
        going = record(tmp_path / name, method, fitness, seed=3, evaluations=evaluations)
        going.go_on()
        end = going.course.evaluations
        log: Any = _logged(going, end, frozenset(range(end)))
        island = {number: at for at, known in log.known.items() for number in known}
        across = [(child, p) for child, ps in log.parents.items() for p in ps if island[child] != island[p]]
        assert across, name
        for child, parent in across:
            assert (island[parent] + 1) % method.count == island[child] or name == "elites"
            mean = np.mean([(log.genes[child] != log.genes[other]).mean() for other in list(log.genes)[::97]])
            if name.startswith("cgp"):
                assert (log.genes[child] != log.genes[parent]).mean() < mean / 2, name


def test_the_front_of_islands_is_that_of_all_of_them() -> None:
    for name in ("elites", "pareto"):
        method, fitness, evaluations = ISLANDS[name]
        state = after(method, fitness, evaluations)
        front = method.front(state)
        own = [best.errors for island in state.islands for best in method.method.front(island)]
        told = {best.errors for best in front}
        assert told <= set(own) and len(front) > 1
        assert min(errors[0] for errors in told) == min(errors[0] for errors in own) == front[0].error
        if name == "pareto":
            assert not any(all(a <= b for a, b in zip(x, y, strict=True)) and x != y for x in own for y in told)


@pytest.mark.parametrize("name", ["openai-es", pytest.param("cma-es", marks=pytest.mark.slow)])
def test_a_better_guest_is_where_strategies_about_a_centre_go_on_and_cma_es_takes_it_in(name: str) -> None:
    skipped(name)
    method: Any = ISLANDS[name][0].method
    state = after(method, VECTORS, 60)
    better = replace(method.sent(state), genes=np.ones((1, 5)), errors=np.zeros((1, 1)))
    visited = method.visited(state, better)
    assert method.best(visited).error == 0 and (method.best(visited).candidate == 1).all()
    assert method.visited(state, replace(better, errors=np.full((1, 1), 1e9))) is state
    children = method.ask(visited).candidates
    assert min(bowl(children)) < min(bowl(method.ask(state).candidates)) / 2


def test_islands_of_what_sends_nobody_are_refused() -> None:
    @dataclass(frozen=True)
    class Keeping(Method[Any, Any]):
        DIALS: ClassVar[tuple[str, ...]] = ()

        def ask(self, state: Any) -> Asked[Any]:
            raise NotImplementedError

    with pytest.raises(SearchError, match="Keeping keeps no candidates that could go"):
        Islands(Keeping())
    with pytest.raises(SearchError, match="of a plain method"):
        Islands(Islands(CGP()))


def test_a_method_that_tells_no_parents_says_so(tmp_path: Path) -> None:
    going = record(tmp_path, *ISLANDS["openai-es"][:2], evaluations=100)
    going.go_on()
    with pytest.raises(SearchError, match="islands of OpenAIES does not tell who came from whom"):
        lineage(going)
