"""Every method of search: a pure function of its state, repeatable, and as good as it says."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from ontogeny.evolve import CGP, equals, search
from ontogeny.evolve.ageing import Ageing
from ontogeny.evolve.fitness import Table
from ontogeny.evolve.gate_genes import Gates
from ontogeny.evolve.method import Method
from ontogeny.evolve.rows import Rows
from ontogeny.evolve.search import Search
from ontogeny.evolve.spaces import Netlists, Vectors
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist

GATES = Gates(40)
METHODS: dict[str, Method[Netlist, Any]] = {
    "cgp": CGP(40),
    "ageing": Ageing(GATES, population=60, tournament=8, offspring=20),
}
FITNESS = equals(lambda number: (number & 3) * (number >> 2), 4, 4)
methods = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def leaves(record: Any) -> list[bytes]:
    """All that a state holds, as bytes."""
    if is_dataclass(record):
        return [leaf for field in fields(record) for leaf in leaves(getattr(record, field.name))]
    return [record.tobytes() if isinstance(record, np.ndarray) else repr(record).encode()]


def slowly(method: Method[Netlist, Any], fitness: Table, seed: int, evaluations: int) -> Any:
    """The state after some generations by ask and tell."""
    going = Search(method, fitness)
    state = method.begin(fitness.space, seed)
    while state.evaluations < evaluations:
        asked = method.ask(state)
        state = method.tell(state, asked, going.judged(asked))
    return state


@methods
def test_the_same_seed_goes_the_same_way_and_another_elsewhere(method: Method[Netlist, Any]) -> None:
    one, again, other = (leaves(slowly(method, FITNESS, seed, 300)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


@methods
def test_asking_and_telling_change_nothing_that_they_are_given(method: Method[Netlist, Any]) -> None:
    state = slowly(method, FITNESS, 3, 200)
    before, asked = leaves(state), method.ask(state)
    genes = asked.genes.copy()
    after = method.tell(state, asked, Search(method, FITNESS).judged(asked))
    assert leaves(state) == before and (asked.genes == genes).all()
    assert after.evaluations == state.evaluations + len(asked.candidates)
    assert (method.ask(state).genes == genes).all()


@methods
def test_what_is_called_best_is_as_good_as_it_is_called(method: Method[Netlist, Any]) -> None:
    state = slowly(method, FITNESS, 5, 600)
    best = method.best(state)
    assert best.error == FITNESS.errors([best.candidate])[0] < 20
    assert best.size == best.candidate.gates


@methods
def test_after_the_fitness_was_turned_all_are_judged_again(method: Method[Netlist, Any]) -> None:
    weighed = equals(lambda number: (number & 3) * (number >> 2), 4, 4, weights=[1, 1, 1, 100])
    state = method.doubted(slowly(method, FITNESS, 5, 600))
    assert np.isinf(method.best(state).error)
    asked = method.ask(state)
    state = method.tell(state, asked, Search(method, weighed).judged(asked))
    best = method.best(state)
    assert best.error == weighed.errors([best.candidate])[0]
    assert asked.parents is None or (asked.parents >= 0).all()


@methods
def test_a_small_task_is_solved_and_then_pruned(method: Method[Netlist, Any]) -> None:
    found = [search(method, FITNESS, seed=1, evaluations=60_000, prune=prune) for prune in (0, 20_000)]
    assert found[0].solved and FITNESS.errors([found[0].best]) == [0]
    assert found[1].error == 0 and found[1].size < found[0].size
    assert found[1].solved_at == found[0].solved_at


@methods
def test_a_space_that_it_cannot_search_is_refused(method: Method[Netlist, Any]) -> None:
    with pytest.raises(SearchError, match="searches netlists"):
        method.begin(Vectors(3), 0)


def test_the_oldest_die_however_good_they_are_and_the_best_is_kept() -> None:
    method = Ageing(GATES, population=10, tournament=2, offspring=3)
    state = method.begin(FITNESS.space, 0)
    asked = method.ask(state)
    state = method.tell(state, asked, np.array([0.0, *[9.0] * 9]))
    first = method.best(state).candidate
    for _ in range(4):
        asked = method.ask(state)
        assert asked.parents is not None and (asked.parents >= 0).all()
        state = method.tell(state, asked, np.full(3, 5.0))
    assert len(state.living) == 10 and state.living.numbers.tolist() == list(range(12, 22))
    assert method.best(state).candidate == first and method.best(state).error == 0


def test_a_population_grows_and_shrinks_as_it_is_turned() -> None:
    method = Ageing(GATES, population=20, tournament=3, offspring=5)
    state = slowly(method, FITNESS, 0, 50)
    for population, expected in ((30, [25, 30, 30]), (7, [7, 7])):
        method = replace(method, population=population)
        for size in expected:
            asked = method.ask(state)
            state = method.tell(state, asked, Search(method, FITNESS).judged(asked))
            assert len(state.living) == size


def test_genes_are_judged_as_their_netlists_are() -> None:
    weighed = equals(lambda number: number * 5 & 31, 7, 5, weights=[1, 2, 0, 3, 7])
    for gates in ("nand", "two-input"):
        genome = Gates(50, gates, hits=4)
        rng = np.random.default_rng(1)
        genes = genome.draw(weighed.space, 30, rng)
        changed = genome.mutated(weighed.space, genes, rng)
        crossed = genome.crossed(weighed.space, genes, changed[::-1], rng)
        assert (changed != genes).any(axis=1).all() and (crossed != genes).any(axis=1).mean() > 0.5
        for rows in (genes, changed, crossed):
            many = genome.candidates(weighed.space, rows)
            assert isinstance(many, Rows)
            assert weighed.errors(many) == weighed.errors(list(many))
            assert genome.sizes(weighed.space, rows).tolist() == [net.gates for net in many]


def test_a_clocked_space_has_registers_searched_like_outputs() -> None:
    space = Netlists(2, 1, 3)
    net = Gates(20).candidates(space, Gates(20).draw(space, 1, np.random.default_rng(0)))[0]
    assert (net.inputs, len(net.outputs), net.registers) == (2, 1, 3)
    assert CGP(20).best(CGP(20).begin(space, 0)).candidate.registers == 3
